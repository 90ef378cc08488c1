import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import type { Requirements } from '../model.ts';
import { findRequirement } from '../requirements.ts';

/** EnvVarRequirement (CWL v1.2, section 5.6): the variables beside HOME and TMPDIR. */
export async function evaluateEnvironment(
  requirements: Requirements,
  expressions: Expressions,
): Promise<Record<string, string>> {
  const definitions = findRequirement(requirements, 'EnvVarRequirement')?.fields.envDef ?? [];
  const environment: Record<string, string> = {};
  for (const [name, expression] of toEntries(definitions)) {
    if (!/^[^=\0]+$/.test(name)) throw badVariable(name, `expected a variable name, got ${JSON.stringify(name)}`);
    const value = await expressions.evaluate(expression, `EnvVarRequirement.${name}`);
    if (value === null || typeof value === 'object') {
      throw badVariable(
        name,
        `expected the value of ${name} to be a string, got ${JSON.stringify(value).slice(0, 80)}`,
      );
    }
    environment[name] = String(value);
  }
  return environment;
}

/** `envDef` is a list of {envName, envValue}, or a map of them by name. */
function toEntries(definitions: JsonValue): (readonly [string, JsonValue])[] {
  if (Array.isArray(definitions)) {
    return (definitions as readonly JsonValue[]).map((entry) => {
      const { envName, envValue } = isJsonObject(entry) ? entry : {};
      return [String(envName ?? ''), (envValue ?? null) as JsonValue] as const;
    });
  }
  if (!isJsonObject(definitions)) return [];
  return Object.entries(definitions).map(([name, value]) => {
    const inner = isJsonObject(value) ? value.envValue : value;
    return [name, (inner ?? null) as JsonValue] as const;
  });
}

function badVariable(field: string, problem: string) {
  const where = { field: `EnvVarRequirement.${field}` };
  return jobError('job/bad-requirement', `EnvVarRequirement: ${problem}`, {
    hint: 'correct the entry in envDef',
    where,
  });
}
