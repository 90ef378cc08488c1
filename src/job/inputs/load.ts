import { isUnion } from '../../cwl/link/types.ts';
import type { CwlType, InputParameter, LoadListing, RecordField } from '../../cwl/model.ts';
import {
  type CwlDirectory,
  type CwlFile,
  type CwlObject,
  type CwlValue,
  isDirectory,
  isFile,
} from '../../cwl/values.ts';
import type { Collection } from '../../keep/collection.ts';
import { formatKeepLocation } from '../../keep/location.ts';
import { listDirectory } from '../../keep/tree.ts';
import { jobError } from '../errors.ts';
import { type FileObject, mapFileObjectsAsync, nameOf } from '../file-objects.ts';
import type { JobFiles } from '../files.ts';
import type { Requirements } from '../model.ts';
import { findRequirement } from '../requirements.ts';
import { openFile, parseLocation } from '../staging/collection-draft.ts';
import { chooseBranch } from '../types.ts';

/** CWL v1.2, `loadContents`: a larger file is an error since v1.2; before, the start of it was taken. */
const contentsLimitBytes = 64 * 1024;

export interface LoadOptions {
  readonly keep: JobFiles;
  readonly cwlVersion: string;
}

/** Sets `contents` of every File of `value`. */
export function loadContents(value: CwlValue, options: LoadOptions): Promise<CwlValue> {
  return mapFileObjectsAsync(value, async (object) => {
    if (!isFile(object) || object.location === undefined) return object;
    const file = await openFile(options.keep, object.location);
    return { ...object, size: file.sizeBytes, contents: await readContents(file, nameOf(object), options) };
  });
}

export async function readContents(
  file: Parameters<JobFiles['readStart']>[0],
  name: string | undefined,
  { keep, cwlVersion }: LoadOptions,
): Promise<string> {
  if (file.sizeBytes > contentsLimitBytes && !isBefore12(cwlVersion)) {
    throw jobError(
      'job/contents-too-large',
      `loadContents of ${JSON.stringify(name)}: expected at most ${contentsLimitBytes} bytes, got ${file.sizeBytes}`,
      { hint: 'read the file in a tool instead of in an expression' },
    );
  }
  return new TextDecoder().decode(await keep.readStart(file, contentsLimitBytes));
}

const isBefore12 = (cwlVersion: string): boolean => /^(v1\.[01]|draft)/.test(cwlVersion);
const isBefore11 = (cwlVersion: string): boolean => /^(v1\.0|draft)/.test(cwlVersion);

/** What is in effect for one parameter: its own word, LoadListingRequirement, the version's default (CWL v1.2, LoadListingEnum). */
export function effectiveListing(
  own: LoadListing | undefined,
  requirements: Requirements,
  cwlVersion: string,
): LoadListing {
  const required = findRequirement(requirements, 'LoadListingRequirement')?.fields.loadListing;
  return own ?? (required as LoadListing | undefined) ?? (isBefore11(cwlVersion) ? 'deep_listing' : 'no_listing');
}

/** Sets `listing` of every Directory of `value` as `mode` says. A literal keeps the listing that it is. */
export function loadListing(value: CwlValue, mode: LoadListing, keep: JobFiles): Promise<CwlValue> {
  return mapFileObjectsAsync(value, async (object): Promise<FileObject> => {
    if (!isDirectory(object) || object.location === undefined) return object;
    const { listing: _listing, ...bare } = object;
    if (mode === 'no_listing') return bare as CwlDirectory;
    const { portableDataHash, path } = parseLocation(object.location);
    const collection = await keep.openCollection(portableDataHash);
    return { ...bare, listing: toListing(collection, path, mode === 'deep_listing') } as CwlDirectory;
  });
}

/** Files and Directories of a directory of a collection, by name. */
export function toListing(collection: Collection, directory: string, isDeep: boolean): FileObject[] {
  return listDirectory(collection, directory).map((entry) => {
    if (entry.kind === 'file') return toFileValue(collection, entry.path);
    const listed = toDirectoryValue(collection, entry.path);
    return isDeep ? { ...listed, listing: toListing(collection, entry.path, true) } : listed;
  });
}

export function toFileValue(collection: Collection, path: string): CwlFile {
  return {
    class: 'File',
    location: formatKeepLocation(collection.portableDataHash, path),
    basename: path.slice(path.lastIndexOf('/') + 1),
    size: collection.files.get(path)?.sizeBytes ?? 0,
  };
}

export function toDirectoryValue(collection: Collection, path: string): CwlDirectory {
  const basename = path.slice(path.lastIndexOf('/') + 1);
  return { class: 'Directory', location: formatKeepLocation(collection.portableDataHash, path), basename };
}

type Loading = Pick<InputParameter | RecordField, 'type' | 'inputBinding' | 'loadContents' | 'loadListing'>;

/**
 * Loads what the parameter, and fields of records in it, ask for: contents of Files, listings of Directories; sizes of Files where
 * they are not known.
 */
export async function loadInput(
  input: Loading,
  value: CwlValue,
  options: LoadOptions & { readonly requirements: Requirements },
): Promise<CwlValue> {
  const { requirements, cwlVersion, keep } = options;
  const contents = wantsContents(input) ? await loadContents(value, options) : await loadSizes(value, keep);
  const listed = await loadListing(contents, effectiveListing(input.loadListing, requirements, cwlVersion), keep);
  return loadFields(input.type, listed, options);
}

/** Whether the parameter, or a field of a record in it, wants more than its values as they are. */
export const asksToLoad = (asking: Loading): boolean =>
  wantsContents(asking) || asking.loadListing !== undefined || hasAskingField(asking.type);

const wantsContents = ({ loadContents: own, inputBinding }: Loading): boolean =>
  own === true || inputBinding?.loadContents === true;

function hasAskingField(type: CwlType): boolean {
  if (typeof type === 'string') return false;
  if (isUnion(type)) return type.some(hasAskingField);
  if (type.type === 'array') return hasAskingField(type.items);
  return type.type === 'record' && type.fields.some(asksToLoad);
}

/** CWL v1.2, InputRecordField: `loadContents` and `loadListing` of a field. */
async function loadFields(type: CwlType, value: CwlValue, options: LoadOptions): Promise<CwlValue> {
  if (!hasAskingField(type)) return value;
  const branch = chooseBranch(type, value);
  if (typeof branch !== 'object') return value;
  if (branch.type === 'array')
    return Promise.all((value as CwlValue[]).map((item) => loadFields(branch.items, item, options)));
  if (branch.type !== 'record') return value;
  const record: Record<string, CwlValue> = { ...(value as CwlObject) };
  for (const field of branch.fields) {
    const given = record[field.name] ?? null;
    const contents = wantsContents(field) ? await loadContents(given, options) : given;
    const listed = field.loadListing ? await loadListing(contents, field.loadListing, options.keep) : contents;
    record[field.name] = await loadFields(field.type, listed, options);
  }
  return record;
}

function loadSizes(value: CwlValue, keep: JobFiles): Promise<CwlValue> {
  return mapFileObjectsAsync(value, async (object) => {
    if (!isFile(object) || object.size !== undefined || object.location === undefined) return object;
    return { ...object, size: (await openFile(keep, object.location)).sizeBytes };
  });
}
