import type { Where } from '../../core/errors.ts';
import { placeOf } from '../../cwl/input/place.ts';
import { typeText } from '../../cwl/link/types.ts';
import type { InputParameter, Process } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import { withNames } from '../file-objects.ts';
import { typeProblem } from '../types.ts';
import { fileParameters } from './secondary-files.ts';

/**
 * The inputs of a process as its parameters say: defaults in place of missing and null values, null for optional ones, nothing
 * that no parameter names. Fails with `job/bad-input`.
 */
export function toProcessInputs(process: Process, given: CwlObject, step?: string): CwlObject {
  const inputs: Record<string, CwlValue> = {};
  for (const input of process.inputs) {
    const value = given[input.id] ?? (input.default as CwlValue | undefined) ?? null;
    checkInput(input, value, whereOf(input, step));
    inputs[input.id] = withNames(value);
  }
  return inputs;
}

const whereOf = (input: InputParameter, step: string | undefined): Where => ({
  ...input.position,
  ...(step === undefined ? {} : { step }),
});

function checkInput(input: InputParameter, value: CwlValue, where: Where): void {
  const problem = typeProblem(input.type, value, input.id);
  if (problem === undefined) return;
  const isMissing = value === null;
  throw jobError('job/bad-input', isMissing ? `missing input ${input.id}: expected ${typeText(input.type)}` : problem, {
    hint: isMissing ? `give --${input.id}, or a value for it in the input file` : 'correct the value in the input file',
    where,
  });
}

/** Whether a file of format `actual`, which is not `expected`, may go where `expected` is asked for. The default: it may not. */
export type FormatCheck = (actual: string, expected: string) => Promise<boolean>;

/** Checks `format` of Files, and of Files in records and arrays (CWL v1.2, `format`). Fails with `job/format-mismatch`. */
export async function checkFormats(
  process: Process,
  inputs: CwlObject,
  expressions: Expressions,
  fits?: FormatCheck,
): Promise<void> {
  for (const input of process.inputs) {
    for (const { files, format } of fileParameters(input, inputs[input.id], placeOf(input.id))) {
      if (format.length === 0) continue;
      const expected = await evaluateFormats(format, expressions);
      for (const { file, place } of files) {
        if (file.format !== undefined && (await fitsAny(String(file.format), expected, fits))) continue;
        throw jobError(
          'job/format-mismatch',
          `${place.name}: expected a File of format ${expected.join(' or ')}, got ${file.format ?? 'no format'}`,
          { hint: 'give the File a "format" that the input accepts', where: input.position },
        );
      }
    }
  }
}

async function fitsAny(actual: string, expected: readonly string[], fits: FormatCheck | undefined): Promise<boolean> {
  if (expected.includes(actual)) return true;
  if (fits === undefined) return false;
  for (const format of expected) if (await fits(actual, format)) return true;
  return false;
}

async function evaluateFormats(formats: readonly string[], expressions: Expressions): Promise<string[]> {
  const evaluated: string[] = [];
  for (const format of formats) {
    const value = await expressions.evaluate(format, 'format');
    evaluated.push(...(Array.isArray(value) ? value : [value]).map(String));
  }
  return evaluated;
}
