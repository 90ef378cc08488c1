import { hasExpression } from '../../cwl/expression/scan.ts';
import { itemOf, memberOf, type Place, placeOf } from '../../cwl/input/place.ts';
import type { ParameterBase, Process, RecordField, SecondaryFile } from '../../cwl/model.ts';
import { type CwlFile, type CwlObject, type CwlValue, isFile } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import { type FileObject, isFileObject, nameOf } from '../file-objects.ts';
import { chooseBranch } from '../types.ts';

/** Applies a pattern to a name: each `^` takes one extension off, the rest is added (CWL v1.2, SecondaryFileSchema). */
export function applyPattern(name: string, pattern: string): string {
  let root = name;
  let suffix = pattern;
  while (suffix.startsWith('^')) {
    suffix = suffix.slice(1);
    const dot = root.lastIndexOf('.');
    if (dot > root.lastIndexOf('/')) root = root.slice(0, dot);
  }
  return root + suffix;
}

/** A value of Files, and the parameter or record field that says what lies beside them. */
export interface FileParameter {
  /** The value, or the items of a list, at any depth. */
  readonly files: readonly PlacedFile[];
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly format: readonly string[];
}

export interface PlacedFile {
  readonly file: CwlFile;
  readonly place: Place;
}

/** The places of a value whose parameter or record fields ask for secondaryFiles or a format. */
export function* fileParameters(
  schema: Pick<ParameterBase | RecordField, 'type' | 'secondaryFiles' | 'format'>,
  value: CwlValue | undefined,
  place: Place,
): Generator<FileParameter> {
  if (value === undefined || value === null) return;
  const { secondaryFiles, format } = schema;
  if (secondaryFiles.length + format.length > 0) yield { files: directFiles(value, place), secondaryFiles, format };
  const branch = chooseBranch(schema.type, value);
  if (typeof branch !== 'object') return;
  if (branch.type === 'array') {
    const plain = { type: branch.items, secondaryFiles: [], format: [] };
    for (const [i, item] of (value as readonly CwlValue[]).entries())
      yield* fileParameters(plain, item, itemOf(place, i));
  } else if (branch.type === 'record') {
    const record = value as CwlObject;
    for (const field of branch.fields) yield* fileParameters(field, record[field.name], memberOf(place, field.name));
  }
}

function directFiles(value: CwlValue, place: Place): PlacedFile[] {
  if (Array.isArray(value)) return value.flatMap((item: CwlValue, i) => directFiles(item, itemOf(place, i)));
  return isFile(value) ? [{ file: value, place }] : [];
}

/** What one pattern names beside `file`: names, or objects that an expression made. */
export async function evaluatePattern(
  file: CwlFile,
  entry: SecondaryFile,
  expressions: Expressions,
): Promise<readonly (string | FileObject)[]> {
  if (!hasExpression(entry.pattern)) return [applyPattern(nameOf(file) ?? '', entry.pattern)];
  const result = await expressions.evaluate(entry.pattern, 'secondaryFiles', file);
  const items = Array.isArray(result) ? result : [result];
  return items.flatMap((item: unknown) => {
    if (item === null || item === '') return [];
    if (typeof item === 'string' || isFileObject(item)) return [item];
    throw jobError(
      'job/bad-binding',
      `secondaryFiles: expected names, Files or Directories, got ${JSON.stringify(item)}`,
    );
  });
}

export async function isRequired(
  file: CwlFile,
  entry: SecondaryFile,
  expressions: Expressions,
  otherwise: boolean,
): Promise<boolean> {
  if (entry.required === undefined) return otherwise;
  return Boolean(await expressions.evaluate(entry.required, 'secondaryFiles.required', file));
}

/** Files of `value` whose parameters want secondaryFiles and that lack a required one: `job/missing-secondary-file`. */
export async function checkSecondaryFiles(
  process: Process,
  inputs: CwlObject,
  expressions: Expressions,
): Promise<void> {
  for (const input of process.inputs) {
    for (const { files, secondaryFiles } of fileParameters(input, inputs[input.id], placeOf(input.id))) {
      for (const placed of files) await checkFile(placed, secondaryFiles, expressions);
    }
  }
}

async function checkFile(
  { file, place }: PlacedFile,
  secondaryFiles: readonly SecondaryFile[],
  expressions: Expressions,
): Promise<void> {
  const present = new Set((file.secondaryFiles ?? []).map(nameOf));
  for (const entry of secondaryFiles) {
    for (const wanted of await evaluatePattern(file, entry, expressions)) {
      const name = typeof wanted === 'string' ? wanted : nameOf(wanted);
      if (present.has(name) || !(await isRequired(file, entry, expressions, true))) continue;
      throw jobError(
        'job/missing-secondary-file',
        `${place.name}: expected ${JSON.stringify(name)} beside ${JSON.stringify(nameOf(file))}, found none`,
        { hint: `list it in secondaryFiles of the input, or put it where ${JSON.stringify(nameOf(file))} lies` },
      );
    }
  }
}
