import type { Where } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { RuntimeContext } from './model.ts';
import { findRequirement, type Requirements } from './requirements.ts';

/** What an expression sees (CWL v1.2, "Expressions (Optional)"). */
export interface Scope {
  readonly inputs: JsonValue;
  readonly self: JsonValue;
  readonly runtime: JsonValue;
}

/**
 * Evaluates one field: parameter references, JavaScript where `javascript`, string interpolation; text without any comes back
 * as it is. Fails with the codes of `cwl/`, saying `where`.
 */
export type Evaluator = (expression: string, scope: Scope, options: EvaluatorOptions) => Promise<JsonValue>;

export interface EvaluatorOptions {
  /** InlineJavascriptRequirement is in effect. */
  readonly javascript: boolean;
  readonly library: readonly string[];
  /** The rules of this version for escapes in strings (they changed in v1.2). */
  readonly cwlVersion: string;
  readonly where: Where;
}

/** An evaluator bound to one process: its inputs, runtime and InlineJavascriptRequirement. */
export interface Expressions {
  /** Value of a field that may hold an expression; values other than strings come back as they are. */
  evaluate(value: unknown, field: string, self?: unknown): Promise<JsonValue>;
}

export interface ExpressionBinding {
  readonly evaluator: Evaluator;
  readonly requirements: Requirements;
  readonly inputs: unknown;
  readonly runtime?: Partial<RuntimeContext>;
  readonly cwlVersion: string;
  readonly where: Where;
}

export const isExpression = (value: unknown): value is string =>
  typeof value === 'string' && (value.includes('$(') || value.includes('${'));

export function bindExpressions(binding: ExpressionBinding): Expressions {
  const script = findRequirement(binding.requirements, 'InlineJavascriptRequirement');
  const library = (script?.fields.expressionLib ?? []) as readonly string[];
  return {
    async evaluate(value, field, self = null) {
      if (!isExpression(value)) return value as JsonValue;
      const scope = {
        inputs: binding.inputs as JsonValue,
        self: self as JsonValue,
        runtime: (binding.runtime ?? {}) as JsonValue,
      };
      const where = { ...binding.where, field };
      const options = { javascript: script !== undefined, library, cwlVersion: binding.cwlVersion, where };
      return binding.evaluator(value, scope, options);
    },
  };
}
