import { describeValue, findMismatch } from '../cwl/input/mismatch.ts';
import { isUnion, typeText } from '../cwl/link/types.ts';
import type { CwlType } from '../cwl/model.ts';
import type { CwlValue } from '../cwl/values.ts';

/** Whether `value` is of `type` (CWL v1.2, "Data concepts"); a record may have more fields than its type names. */
const isOfType = (type: CwlType, value: unknown): boolean => typeProblem(type, value, '') === undefined;

/** What is wrong with `value`, at its innermost place: `inputs.reads[2]: expected File, got the string "x"`. */
export function typeProblem(type: CwlType, value: unknown, path: string): string | undefined {
  const mismatch = findMismatch(value as CwlValue | undefined, type, path);
  return mismatch && `${mismatch.name}: expected ${typeText(mismatch.type)}, got ${describeValue(mismatch.value)}`;
}

/** As `typeProblem`, for an output: a null fits Any there, since expressions may have nothing to say. */
export const outputProblem = (type: CwlType, value: unknown, name: string): string | undefined =>
  type === 'Any' && value === null ? undefined : typeProblem(type, value, `output ${name}`);

/** The first branch that the value fits; undefined when none. For a type that is no union, that type. */
export function chooseBranch(type: CwlType, value: unknown): Exclude<CwlType, readonly CwlType[]> | undefined {
  if (!isUnion(type)) return isOfType(type, value) ? type : undefined;
  for (const branch of type) {
    const chosen = chooseBranch(branch, value);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}

export const isOptional = (type: CwlType): boolean => type === 'null' || (isUnion(type) && type.some(isOptional));
