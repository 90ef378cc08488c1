import type { Where } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { evaluate } from '../cwl/expression/evaluate.ts';
import type { JsEngine } from '../cwl/port.ts';
import type { Requirements, RuntimeContext } from './model.ts';
import { findRequirement } from './requirements.ts';

/** What runs the JavaScript of expressions. */
export interface ExpressionEngine {
  readonly engine: JsEngine;
  readonly timeoutMs?: number;
}

/** Expressions of one process: its inputs, runtime and InlineJavascriptRequirement. */
export interface Expressions {
  /** Value of a field that may hold an expression; values other than strings come back as they are. Fails with `cwl/expression-…`. */
  evaluate(value: unknown, field: string, self?: unknown): Promise<JsonValue>;
  /** As `evaluate`, but white space around an expression makes it text (CWL v1.2, Dirent.entry). */
  evaluateText(value: unknown, field: string): Promise<JsonValue>;
}

export interface ExpressionBinding {
  readonly javascript: ExpressionEngine;
  readonly requirements: Requirements;
  readonly inputs: unknown;
  readonly runtime?: Partial<RuntimeContext>;
  readonly cwlVersion: string;
  readonly where: Where;
}

export function bindExpressions(binding: ExpressionBinding): Expressions {
  const { javascript, inputs, runtime = {}, cwlVersion } = binding;
  const script = findRequirement(binding.requirements, 'InlineJavascriptRequirement');
  const library = (script?.fields.expressionLib ?? []) as readonly string[];
  const run = async (value: unknown, field: string, self: unknown, stripWhitespace: boolean): Promise<JsonValue> => {
    if (typeof value !== 'string') return value as JsonValue;
    const context = { inputs: inputs as JsonValue, self: self as JsonValue, runtime: runtime as JsonValue };
    const where = { ...binding.where, field };
    const jsAllowed = script !== undefined;
    return evaluate(value, context, { ...javascript, library, jsAllowed, cwlVersion, stripWhitespace, where });
  };
  return {
    evaluate: (value, field, self = null) => run(value, field, self, true),
    evaluateText: (value, field) => run(value, field, null, false),
  };
}
