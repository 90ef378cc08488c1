import type { JsonValue } from '../../core/json.ts';
import { toNumber } from '../../core/numbers.ts';
import { arvadosPrefix, hallmarkPrefix, requirementShapes } from '../../cwl/schema/requirement.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import type { EffectiveRequirement, Requirements, ToolJob } from '../model.ts';
import { atRequirement, findRequirement } from '../requirements.ts';

type Settings = Pick<ToolJob, 'networkAccess' | 'timeLimitSeconds' | 'enableReuse'>;

/** NetworkAccess, ToolTimeLimit and WorkReuse, with the defaults of the document's version. */
export async function evaluateSettings(
  requirements: Requirements,
  expressions: Expressions,
  cwlVersion: string,
): Promise<Settings> {
  const read = <T>(requirement: string, name: string, convert: (value: JsonValue | undefined) => T): Promise<T> =>
    atRequirement(requirements, requirement, async () => {
      const field = findRequirement(requirements, requirement)?.fields[name];
      return convert(field === undefined ? undefined : await expressions.evaluate(field, `${requirement}.${name}`));
    });
  return {
    networkAccess: await read('NetworkAccess', 'networkAccess', (value) =>
      toBoolean(value, 'networkAccess', cwlVersion === 'v1.0'),
    ),
    timeLimitSeconds: await read('ToolTimeLimit', 'timelimit', toSeconds),
    enableReuse: await read('WorkReuse', 'enableReuse', (value) => toBoolean(value, 'enableReuse', true)),
  };
}

function toBoolean(value: JsonValue | undefined, name: string, otherwise: boolean): boolean {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === 'boolean') return value;
  throw badSetting(`${name}: expected true or false, got ${JSON.stringify(value)}`);
}

function toSeconds(given: JsonValue | undefined): number {
  const value = toNumber(given);
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && value >= 0) return Math.ceil(value);
  throw badSetting(`timelimit: expected a number of seconds that is not negative, got ${JSON.stringify(value)}`);
}

const badSetting = (problem: string) =>
  jobError('job/bad-requirement', problem, { hint: 'correct the value, or the expression that gives it' });

/**
 * Classes whose text fields stay as they are: they hold no expressions, or the job has evaluated them where they belong.
 * Above all a Dockerfile: its `$(…)` is for the shell.
 */
const unevaluated = new Set([
  'InlineJavascriptRequirement',
  'SchemaDefRequirement',
  'DockerRequirement',
  'SoftwareRequirement',
  'InitialWorkDirRequirement',
  'EnvVarRequirement',
  'ResourceRequirement',
  `${hallmarkPrefix}ImageBuild`,
  `${arvadosPrefix}OutOfMemoryRetry`,
]);

/** Every entry in effect, the expressions in its fields replaced by their values. */
export async function evaluateRequirements(
  requirements: Requirements,
  expressions: Expressions,
): Promise<EffectiveRequirement[]> {
  const entries = [
    ...requirements.requirements.map((entry) => ({ ...entry, isHint: false })),
    ...requirements.hints.map((entry) => ({ ...entry, isHint: true })),
  ];
  const evaluated: EffectiveRequirement[] = [];
  for (const entry of entries) {
    if (unevaluated.has(entry.class) || !requirementShapes.has(entry.class)) evaluated.push(entry);
    else
      evaluated.push({
        ...entry,
        fields: (await evaluateDeep(entry.fields, entry.class, expressions)) as EffectiveRequirement['fields'],
      });
  }
  return evaluated;
}

async function evaluateDeep(value: JsonValue, field: string, expressions: Expressions): Promise<JsonValue> {
  if (typeof value !== 'object' || value === null) return expressions.evaluate(value, field);
  if (Array.isArray(value)) {
    const items: JsonValue[] = [];
    for (const item of value as readonly JsonValue[]) items.push(await evaluateDeep(item, field, expressions));
    return items;
  }
  const entries: [string, JsonValue][] = [];
  for (const [name, inner] of Object.entries(value))
    entries.push([name, await evaluateDeep(inner, `${field}.${name}`, expressions)]);
  return Object.fromEntries(entries);
}
