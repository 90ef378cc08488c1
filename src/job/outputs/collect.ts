import { isUnion } from '../../cwl/link/types.ts';
import type { CwlType, OutputBinding, SecondaryFile } from '../../cwl/model.ts';
import { type CwlFile, type CwlObject, type CwlValue, isFile } from '../../cwl/values.ts';
import { findEntry } from '../../keep/tree.ts';
import { jobError } from '../errors.ts';
import { type FileObject, isFileObject, mapFileObjects, mapFileObjectsAsync, nameOf } from '../file-objects.ts';
import { effectiveListing, readContents, toListing } from '../inputs/load.ts';
import { evaluatePattern, isRequired } from '../inputs/secondary-files.ts';
import { isOptional } from '../types.ts';
import { matchGlob } from './glob.ts';
import { type OutputScope, toSeenObject } from './scope.ts';

/** An output parameter, or a field of an output record. */
export interface OutputSchema {
  readonly type: CwlType;
  readonly outputBinding?: OutputBinding;
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly format: readonly string[];
}

/** CWL v1.2, CommandOutputBinding: glob, loadContents, outputEval, secondaryFiles, format, in this order. */
export async function collectOutput(schema: OutputSchema, name: string, scope: OutputScope): Promise<CwlValue> {
  const record = findRecord(schema.type);
  if (!schema.outputBinding) return record ? collectRecord(record.fields, name, scope) : null;
  const matched = await collectGlob(schema.outputBinding, name, scope);
  const { outputEval } = schema.outputBinding;
  const evaluated =
    outputEval === undefined
      ? matched
      : ((await scope.expressions.evaluate(outputEval, `${name}.outputEval`, matched)) as CwlValue);
  const located = mapFileObjects(toSingle(schema, evaluated ?? null, name), scope.locate);
  const complete = await mapFileObjectsAsync(located, async (object) =>
    isFile(object) ? withFormat(await withSecondaryFiles(object, schema, name, scope), schema, scope) : object,
  );
  const isEmpty = Array.isArray(complete) && complete.length === 0;
  return isEmpty && isOptional(schema.type) && findArray(schema.type) === undefined ? null : complete;
}

async function collectRecord(
  fields: readonly (OutputSchema & { readonly name: string })[],
  name: string,
  scope: OutputScope,
): Promise<CwlObject> {
  const record: Record<string, CwlValue> = {};
  for (const field of fields) record[field.name] = await collectOutput(field, `${name}.${field.name}`, scope);
  return record;
}

const branches = (type: CwlType): readonly CwlType[] => (isUnion(type) ? type : [type]);

function findRecord(type: CwlType) {
  const found = branches(type).find((branch) => typeof branch === 'object' && 'fields' in branch);
  return found as Extract<CwlType, { type: 'record' }> | undefined;
}

function findArray(type: CwlType) {
  return branches(type).find((branch) => typeof branch === 'object' && 'items' in branch);
}

async function collectGlob(binding: OutputBinding, name: string, scope: OutputScope): Promise<FileObject[]> {
  const objects: FileObject[] = [];
  for (const pattern of await evaluateGlobs(binding, name, scope)) {
    for (const path of matchGlob(scope.collection, pattern, scope.paths.outdir)) {
      objects.push(await load(toSeenObject(scope, path), path, binding, scope));
    }
  }
  return objects;
}

async function evaluateGlobs(binding: OutputBinding, name: string, scope: OutputScope): Promise<string[]> {
  const patterns: string[] = [];
  for (const glob of binding.glob) {
    const value = await scope.expressions.evaluate(glob, `${name}.glob`);
    for (const pattern of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (pattern === null || pattern === '') continue;
      if (isFileObject(pattern) && nameOf(pattern) !== undefined)
        patterns.push(pattern.path ?? String(nameOf(pattern)));
      else if (typeof pattern === 'string') patterns.push(pattern);
      else
        throw jobError(
          'job/bad-output',
          `${name}: expected glob to be text or a list of it, got ${JSON.stringify(pattern)}`,
        );
    }
  }
  return patterns;
}

async function load(object: FileObject, path: string, binding: OutputBinding, scope: OutputScope): Promise<FileObject> {
  const { collection, requirements, cwlVersion } = scope;
  if (isFile(object)) {
    const file = collection.files.get(path);
    if (!binding.loadContents || !file) return object;
    return { ...object, contents: await readContents(file, path, scope) };
  }
  const mode = effectiveListing(binding.loadListing, requirements, cwlVersion);
  if (mode === 'no_listing') return object;
  return { ...object, listing: toListing(collection, path, mode === 'deep_listing') };
}

/** Where the type is one File or Directory and no list, exactly one must have been found; none where it is optional. */
function toSingle({ type, outputBinding }: OutputSchema, value: CwlValue, name: string): CwlValue {
  const isSingle = branches(type).some((branch) => branch === 'File' || branch === 'Directory');
  if (!isSingle || !Array.isArray(value)) return value;
  if (value.length === 1) return value[0] as CwlValue;
  if (findArray(type) !== undefined) return value;
  if (value.length === 0 && isOptional(type)) return null;
  const { glob = [], outputEval } = outputBinding ?? {};
  const wanted = outputEval === undefined ? ` of ${glob.map((pattern) => JSON.stringify(pattern)).join(', ')}` : '';
  const names = value.slice(0, 5).map((item) => (isFileObject(item) ? nameOf(item) : JSON.stringify(item)));
  const got = value.length === 0 ? 'none' : `${value.length}: ${names.join(', ')}${value.length > 5 ? ', …' : ''}`;
  throw jobError('job/bad-output', `output ${name}: expected one match${wanted}, got ${got}`, {
    hint:
      value.length === 0
        ? 'check glob against the names that the tool wrote'
        : 'make glob narrower, or the type a list',
  });
}

async function withSecondaryFiles(
  file: CwlFile,
  schema: OutputSchema,
  name: string,
  scope: OutputScope,
): Promise<CwlFile> {
  if (schema.secondaryFiles.length === 0) return file;
  const found = new Map((file.secondaryFiles ?? []).map((object) => [nameOf(object), object]));
  for (const entry of schema.secondaryFiles) {
    for (const wanted of await evaluatePattern(file, entry, scope.expressions)) {
      const object = typeof wanted === 'string' ? findBeside(file, wanted, scope) : scope.locate(wanted);
      if (object) found.set(nameOf(object), object);
      else if (await isRequired(file, entry, scope.expressions, false)) {
        throw jobError(
          'job/missing-secondary-file',
          `output ${name}: expected ${JSON.stringify(wanted)} beside ${JSON.stringify(nameOf(file))}, found none`,
          {
            hint: 'let the tool write it, or mark the pattern as not required',
          },
        );
      }
    }
  }
  return found.size === 0 ? file : { ...file, secondaryFiles: [...found.values()] };
}

function findBeside(file: CwlFile, name: string, scope: OutputScope): FileObject | undefined {
  const path = file.path ?? '';
  const directory = path.startsWith(`${scope.paths.outdir}/`)
    ? path.slice(scope.paths.outdir.length + 1, path.lastIndexOf('/') + 1)
    : '';
  const beside = name.startsWith('/') ? undefined : directory + name;
  if (beside === undefined || beside.split('/').includes('..') || !findEntry(scope.collection, beside))
    return undefined;
  return scope.locate(toSeenObject(scope, beside));
}

async function withFormat(file: CwlFile, schema: OutputSchema, scope: OutputScope): Promise<CwlFile> {
  const [format] = schema.format;
  if (format === undefined) return file;
  return { ...file, format: String(await scope.expressions.evaluate(format, 'format', file)) };
}
