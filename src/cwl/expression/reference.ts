import type { JsonValue } from '../../core/json.ts';
import { didYouMean } from '../../core/nearest.ts';
import { cwlError } from '../errors.ts';

/** What expressions see (CWL v1.2 CommandLineTool, "Parameter references (Optional)"). */
export interface ExpressionContext {
  readonly inputs: JsonValue;
  readonly self: JsonValue;
  readonly runtime: JsonValue;
}

export interface ParameterReference {
  readonly symbol: string;
  readonly segments: readonly (string | number)[];
}

const symbol = '[\\p{L}\\p{N}_]+';
const segment = new RegExp(
  `^(?:\\.(${symbol})|\\['((?:[^'\\\\]|\\\\.)+)'\\]|\\["((?:[^"\\\\]|\\\\.)+)"\\]|\\[([0-9]+)\\])`,
  'u',
);
const head = new RegExp(`^(${symbol})`, 'u');

/** Reads the inside of `$(…)` as a parameter reference; nothing, if it is JavaScript. */
export function parseReference(text: string): ParameterReference | undefined {
  const [, first] = head.exec(text) ?? [];
  if (first === undefined) return undefined;
  const segments: (string | number)[] = [];
  let rest = text.slice(first.length);
  while (rest !== '') {
    const match = segment.exec(rest);
    if (!match) return undefined;
    const [whole, name, single, double, index] = match;
    segments.push(index === undefined ? (name ?? unquote(single ?? double ?? '')) : Number(index));
    rest = rest.slice(whole.length);
  }
  return { symbol: first, segments };
}

const unquote = (text: string): string => text.replace(/\\(['"])/g, '$1');

const isSymbol = (name: string): name is keyof ExpressionContext =>
  name === 'inputs' || name === 'self' || name === 'runtime';

/** Value of a reference. A missing field, an index out of range or a field of something that has none is an error. */
export function resolveReference(
  { symbol: name, segments }: ParameterReference,
  context: ExpressionContext,
): JsonValue {
  if (name === 'null' && segments.length === 0) return null;
  if (!isSymbol(name)) {
    const hint =
      didYouMean(name, ['inputs', 'self', 'runtime', 'null']) ?? 'JavaScript needs InlineJavascriptRequirement';
    throw cwlError(
      'cwl/expression-failed',
      `unknown name ${JSON.stringify(name)}: expected inputs, self, runtime or null`,
      { hint },
    );
  }
  let value: JsonValue = context[name];
  let path: string = name;
  for (const [index, segmentKey] of segments.entries()) {
    value = stepInto(value, segmentKey, path, index === segments.length - 1);
    path += typeof segmentKey === 'number' ? `[${segmentKey}]` : `.${segmentKey}`;
  }
  return value;
}

function stepInto(value: JsonValue, key: string | number, path: string, isLast: boolean): JsonValue {
  if (isList(value)) {
    if (key === 'length' && isLast) return value.length;
    const item = typeof key === 'number' ? value[key] : undefined;
    if (item !== undefined) return item;
    const got = typeof key === 'number' ? `index ${key}` : `the field ${JSON.stringify(key)}`;
    throw cwlError(
      'cwl/expression-failed',
      `${path} is a list of ${value.length}: it has no ${got.replace(/^the /, '')}`,
    );
  }
  if (typeof value !== 'object' || value === null) {
    throw cwlError(
      'cwl/expression-failed',
      `${path} is ${value === null ? 'null' : `a ${typeof value}`}: it has no ${typeof key === 'number' ? `index ${key}` : `field ${JSON.stringify(key)}`}`,
    );
  }
  const inner = typeof key === 'string' && Object.hasOwn(value, key) ? value[key] : undefined;
  if (inner !== undefined) return inner;
  const hint = typeof key === 'string' ? didYouMean(key, Object.keys(value)) : undefined;
  const what = typeof key === 'number' ? `index ${key}` : `field ${JSON.stringify(key)}`;
  throw cwlError('cwl/expression-failed', `${path} has no ${what}`, hint === undefined ? {} : { hint });
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);
