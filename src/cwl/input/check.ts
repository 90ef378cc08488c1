import { didYouMean } from '../../core/nearest.ts';
import { membersOf, typeText } from '../link/types.ts';
import type { CwlType, InputParameter, Process } from '../model.ts';
import type { Problem } from '../problem.ts';
import { Problems } from '../problems.ts';
import { field, keySpan } from '../syntax/node.ts';
import type { CwlObject, CwlValue } from '../values.ts';
import { checkFiles, type Look } from './check-files.ts';
import type { InputObject } from './job.ts';
import { describeValue, findMismatch, mismatchHint } from './mismatch.ts';

export interface CheckedInputs {
  /** One value for each input: given, default, or null. What the process does not know is left out. */
  readonly inputs: CwlObject;
  readonly warnings: readonly Problem[];
}

/**
 * The input object with defaults in place, each value of the type of its parameter. Fails with `cwl/bad-input` and every
 * value that does not fit; with `look`, also with every File and Directory of the input object that is not there.
 */
export function checkInputs(process: Process, job: InputObject, look?: Look): CheckedInputs {
  const problems = new Problems();
  const names = process.inputs.map(({ id }) => id);
  for (const entry of job.root.entries.values()) {
    if (entry.key.startsWith('$') || entry.key.includes(':') || names.includes(entry.key) || !(entry.key in job.values))
      continue;
    const hint = didYouMean(entry.key, names);
    problems.warn('input', keySpan(entry), `the process has no input ${JSON.stringify(entry.key)}`, hint);
  }
  const inputs: Record<string, CwlValue> = {};
  for (const parameter of process.inputs) inputs[parameter.id] = checkInput(parameter, job, problems, look);
  problems.throwIfAny('cwl/bad-input');
  return { inputs, warnings: problems.warnings };
}

function checkInput(parameter: InputParameter, job: InputObject, problems: Problems, look?: Look): CwlValue {
  const { id, type, hasDefault } = parameter;
  const given = job.values[id] ?? null;
  const value = given === null && hasDefault ? ((parameter.default ?? null) as CwlValue) : given;
  const node = field(job.root, id);
  if (value === null && !acceptsNull(type)) {
    const what = node ? 'is null' : 'is missing';
    const hint = node
      ? undefined
      : didYouMean(
          id,
          Object.keys(job.values).filter((name) => name !== id),
        );
    problems.error('input', node ?? job.root, `input ${JSON.stringify(id)} of type ${typeText(type)} ${what}`, hint);
    return null;
  }
  const mismatch = findMismatch(value, type, id, node);
  if (mismatch) {
    const got = describeValue(mismatch.value, mismatch.node);
    const message = `input ${mismatch.name}: expected ${typeText(mismatch.type)}, got ${got}`;
    problems.error('input', mismatch.node ?? job.root, message, mismatchHint(mismatch));
  } else if (look && given !== null) checkFiles(id, given, node ?? job.root, node, { look, problems });
  return value;
}

/** `Any` is every value but null (CWL v1.2, "Any"). */
const acceptsNull = (type: CwlType): boolean => membersOf(type).includes('null');
