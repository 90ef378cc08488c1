import { HallmarkError, isHallmarkError, type Where } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import { type CwlErrorCode, cwlError } from '../errors.ts';
import type { JsEngine } from '../port.ts';
import { type ExpressionContext, parseReference, resolveReference } from './reference.ts';
import { hasExpression, nextToken, shorten } from './scan.ts';

export interface EvaluateOptions {
  /** Needed only where `jsAllowed`. */
  readonly engine?: JsEngine;
  /** InlineJavascriptRequirement.expressionLib. */
  readonly library?: readonly string[];
  /** Whether InlineJavascriptRequirement is in force. */
  readonly jsAllowed: boolean;
  /** Of the document that the text stands in: escapes changed in v1.2. */
  readonly cwlVersion: string;
  /** Default: true. False for the text of files (`Dirent.entry`). */
  readonly stripWhitespace?: boolean;
  readonly timeoutMs?: number;
  /** Step, field and line for errors. */
  readonly where?: Where;
}

const defaultTimeoutMs = 60_000;

/**
 * Value of a field that may hold expressions. Text without `$(` and `${` is its own value. A single expression gives a value of
 * any type; among other text, values are put in as text, and as JSON where they are no strings.
 */
export async function evaluate(text: string, context: ExpressionContext, options: EvaluateOptions): Promise<JsonValue> {
  if (!hasExpression(text)) return text;
  try {
    return await interpolate(options.stripWhitespace === false ? text : text.trim(), context, options);
  } catch (error) {
    throw locate(error, text, options.where);
  }
}

async function interpolate(text: string, context: ExpressionContext, options: EvaluateOptions): Promise<JsonValue> {
  let result = '';
  let at = 0;
  for (let token = nextToken(text, 0); token; token = nextToken(text, at)) {
    result += text.slice(at, token.start);
    at = token.end;
    if (token.kind === 'expression') {
      const value = await evaluateOne(text.slice(token.start + 1, token.end), context, options);
      if (token.start === 0 && token.end === text.length) return value;
      result += toText(value);
    } else {
      const escaped = unescapeAt(text, token.start, options.cwlVersion);
      result += escaped.text;
      at = token.start + escaped.length;
    }
  }
  return result + text.slice(at);
}

/** v1.0 and v1.1: a backslash takes the next letter as it is. v1.2: only `\$(`, `\${` and `\\` are escapes. */
function unescapeAt(text: string, at: number, cwlVersion: string): { readonly text: string; readonly length: number } {
  const next = text.slice(at + 1, at + 2);
  if (cwlVersion === 'v1.0' || cwlVersion === 'v1.1') return { text: next, length: 2 };
  const two = text.slice(at + 1, at + 3);
  if (two === '$(' || two === '${') return { text: two, length: 3 };
  return next === '\\' ? { text: '\\', length: 2 } : { text: `\\${next}`, length: 2 };
}

/** `code` is `(…)` or `{…}`. */
async function evaluateOne(code: string, context: ExpressionContext, options: EvaluateOptions): Promise<JsonValue> {
  const isBody = code.startsWith('{');
  const reference = isBody ? undefined : parseReference(code.slice(1, -1));
  const isKnown = reference !== undefined && (!options.jsAllowed || isPlain(reference.symbol));
  if (isKnown) {
    try {
      return resolveReference(reference, context);
    } catch (error) {
      // JavaScript may mean something else by it: `self.length` of a string, a missing field as undefined.
      if (!options.jsAllowed) throw error;
    }
  }
  if (!options.jsAllowed || !options.engine) {
    const hint = 'add "InlineJavascriptRequirement: {}" to the requirements';
    throw cwlError(
      'cwl/expression-failed',
      `${JSON.stringify(shorten(`$${code}`))} is JavaScript, which this process does not ask for`,
      { hint },
    );
  }
  return options.engine.evaluate({
    code: code.slice(1, -1),
    body: isBody,
    globals: context,
    library: options.library ?? [],
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
  });
}

const isPlain = (symbol: string): boolean =>
  symbol === 'inputs' || symbol === 'self' || symbol === 'runtime' || symbol === 'null';

/** A string as it is, anything else as JSON with the keys of objects in order. */
function toText(value: JsonValue): string {
  return typeof value === 'string' ? value : toSpacedJson(value);
}

/** JSON as CWL's reference implementation writes it into text: sorted keys, a blank after each comma and colon. */
export function toSpacedJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(toSpacedJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}: ${toSpacedJson(inner)}`).join(', ')}}`;
}

/** A shell has `${…}` and `$(…)` of its own, in the middle of other text. */
function hintOf({ hint, message }: HallmarkError, text: string): { readonly hint?: string } {
  if (hint !== undefined) return { hint };
  const isAmongText = !/^\s*\$[({][\s\S]*[)}]\s*$/.test(text);
  const isNoScript = /\b(Syntax|Reference)Error:/.test(message);
  return isAmongText && isNoScript ? { hint: 'a "${" or "$(" that is for a shell is written "\\${", "\\$("' } : {};
}

function locate(error: unknown, text: string, where: Where | undefined): unknown {
  if (!isHallmarkError<CwlErrorCode>(error) || where === undefined || error.where !== undefined) return error;
  const shown = JSON.stringify(shorten(text.trim()));
  const isSaid = error.message.includes(shown);
  return new HallmarkError(error.code, isSaid ? error.message : `${error.message} (in ${shown})`, {
    where: { ...where, expression: text },
    cause: error.cause,
    ...hintOf(error, text),
    retryable: error.retryable,
  });
}
