import { type CwlObject, isFile } from '../../cwl/values.ts';
import type { Collection } from '../../keep/collection.ts';
import { formatKeepLocation, parseKeepLocation } from '../../keep/location.ts';
import { jobError } from '../errors.ts';
import { type FileObject, mapFileObjectsAsync, nameOf, withNames } from '../file-objects.ts';
import type { JobFiles } from '../files.ts';
import type { JobPaths, StagedBlock } from '../model.ts';
import { draftCollection, parseLocation } from './collection-draft.ts';
import { checkBasename } from './names.ts';

/** Where combined collections and the text of literals are gathered, for the caller to save. */
export interface Staged {
  readonly collections: Collection[];
  readonly blocks: StagedBlock[];
}

export interface StagingOptions {
  readonly keep: JobFiles;
  readonly paths: Pick<JobPaths, 'keep'>;
  readonly staged: Staged;
}

/**
 * Gives every File and Directory the `keep:` location and the path at which the process sees it. One that lies in Keep under its
 * basename, with its secondaryFiles beside it, is seen where it lies; for any other a collection is combined in which it does
 * (CWL v1.2, "File": the basename holds at run time; secondaryFiles lie in the same directory).
 */
export function stageInputs(inputs: CwlObject, options: StagingOptions): Promise<CwlObject> {
  return mapFileObjectsAsync(inputs, async (object) => {
    const placed = liesAsNamed(object) ? object : await combine(object, options);
    return withPaths(withNames(placed), options.paths.keep);
  });
}

/** Whether the stored names are the basenames and all that belongs together lies in one directory. */
function liesAsNamed(object: FileObject, directory?: string): boolean {
  if (object.location === undefined) return false;
  const { parent, name } = splitLocation(object.location);
  if (name !== (nameOf(object) ?? name) || (directory !== undefined && parent !== directory)) return false;
  return !isFile(object) || (object.secondaryFiles ?? []).every((beside) => liesAsNamed(beside, parent));
}

function splitLocation(location: string): { readonly parent: string; readonly name: string } {
  const { portableDataHash, path } = parseLocation(location);
  if (path === '') return { parent: '', name: portableDataHash };
  const slash = path.lastIndexOf('/');
  return {
    parent: formatKeepLocation(portableDataHash, path.slice(0, Math.max(slash, 0))),
    name: path.slice(slash + 1),
  };
}

async function combine(object: FileObject, { keep, staged }: StagingOptions): Promise<FileObject> {
  const draft = draftCollection(keep, staged.blocks);
  const name = checkBasename(nameOf(object) ?? literalName(object), 'basename');
  await draft.add(name, object);
  const collection = draft.build();
  staged.collections.push(collection);
  return relocate({ ...object, basename: name }, collection, '');
}

/** CWL v1.2, "File": the implementation chooses a name where a literal has none. */
const literalName = (object: FileObject): string => (isFile(object) ? 'literal.txt' : 'literal');

/** The object at its new place; `contents` of a literal stay, since expressions may read them. */
function relocate(object: FileObject, collection: Collection, parent: string): FileObject {
  const path = parent + (nameOf(object) ?? '');
  const location = formatKeepLocation(collection.portableDataHash, path);
  if (!isFile(object)) {
    if (!object.listing) return { ...object, location };
    return { ...object, location, listing: object.listing.map((inner) => relocate(inner, collection, `${path}/`)) };
  }
  const size = collection.files.get(path)?.sizeBytes;
  const moved = { ...object, location, ...(size === undefined ? {} : { size }) };
  if (!object.secondaryFiles) return moved;
  return { ...moved, secondaryFiles: object.secondaryFiles.map((inner) => relocate(inner, collection, parent)) };
}

/** Sets `path` and, on Files, `dirname`, from locations below `keepRoot`. */
export function withPaths(object: FileObject, keepRoot: string): FileObject {
  if (object.location === undefined) return object;
  const path = toKeepPath(object.location ?? '', keepRoot);
  if (!isFile(object)) {
    return {
      ...object,
      path,
      ...(object.listing && { listing: object.listing.map((inner) => withPaths(inner, keepRoot)) }),
    };
  }
  const beside = object.secondaryFiles && {
    secondaryFiles: object.secondaryFiles.map((inner) => withPaths(inner, keepRoot)),
  };
  return { ...object, path, dirname: path.slice(0, path.lastIndexOf('/')), ...beside };
}

function toKeepPath(location: string, keepRoot: string): string {
  const { portableDataHash, path } = parseKeepLocation(location);
  return [keepRoot, portableDataHash, path].filter((part) => part !== '').join('/');
}

/** The `keep:` location of a path below `keepRoot`; undefined for any other path. */
export function fromKeepPath(path: string, keepRoot: string): string | undefined {
  if (!path.startsWith(`${keepRoot}/`)) return undefined;
  const [portableDataHash = '', ...rest] = path.slice(keepRoot.length + 1).split('/');
  const location = `keep:${portableDataHash}`;
  const parsed = parseKeepLocation(location);
  if (rest.includes('..'))
    throw jobError('job/outside-output', `the path ${JSON.stringify(path)} leaves its collection`);
  return formatKeepLocation(parsed.portableDataHash, rest.filter((part) => part !== '' && part !== '.').join('/'));
}
