import { isFile } from '../../cwl/values.ts';
import type { Collection } from '../../keep/collection.ts';
import { formatKeepLocation, isKeepLocation, parseKeepLocation } from '../../keep/location.ts';
import { findEntry } from '../../keep/tree.ts';
import { jobError } from '../errors.ts';
import type { Expressions } from '../evaluate.ts';
import { allFileObjects, type FileObject, splitName } from '../file-objects.ts';
import type { JobFiles } from '../files.ts';
import { toDirectoryValue, toFileValue } from '../inputs/load.ts';
import type { JobPaths, Requirements, ToolJob } from '../model.ts';
import { hostRoot } from '../paths.ts';
import { fromKeepPath } from '../staging/staging.ts';

/** What the collecting of one tool's outputs works on. */
export interface OutputScope {
  readonly collection: Collection;
  readonly expressions: Expressions;
  readonly requirements: Requirements;
  readonly cwlVersion: string;
  readonly keep: JobFiles;
  readonly paths: JobPaths;
  readonly locate: Locate;
}

/**
 * Gives an object that a tool or expression made its `keep:` location: in the output collection or in a collection of the
 * inputs. Fails with `job/outside-output` for anything else, `job/bad-output` where nothing is there.
 */
export type Locate = (object: FileObject) => FileObject;

export function createLocator(
  collection: Collection,
  job: Pick<ToolJob, 'inputs' | 'paths'>,
  hostDirectory?: string,
): Locate {
  const { outdir, keep } = job.paths;
  const known = new Set<string>([collection.portableDataHash]);
  for (const { location } of allFileObjects(job.inputs)) {
    if (isKeepLocation(location)) known.add(parseKeepLocation(location).portableDataHash);
  }
  const moved = movedPaths(job);
  const locateText = (text: string, object: FileObject): string => {
    if (isKeepLocation(text) && known.has(parseKeepLocation(text).portableDataHash)) return text;
    const written = text.startsWith('file://') ? decodeURIComponent(text.slice('file://'.length)) : text;
    const isBelow = hostDirectory !== undefined && written.startsWith(`${hostDirectory}/`);
    const path = isBelow ? hostRoot + written.slice(hostDirectory.length) : written;
    const original = moved.get(path);
    const relative = toRelative(path, outdir);
    if (relative !== undefined && findEntry(collection, relative))
      return formatKeepLocation(collection.portableDataHash, relative);
    if (original !== undefined) return original;
    const location = fromKeepPath(path, keep);
    if (location !== undefined && known.has(parseKeepLocation(location).portableDataHash)) return location;
    throw relative === undefined ? outsideError(text, object) : missingError(text, object);
  };
  const locate: Locate = (object) => {
    const named = object.path ?? object.location;
    const attached = isFile(object)
      ? object.secondaryFiles && { secondaryFiles: object.secondaryFiles.map(locate) }
      : object.listing && { listing: object.listing.map(locate) };
    if (named === undefined) return { ...object, ...attached } as FileObject;
    const location = locateText(named, object);
    return { ...describe(location, object, collection), ...object, ...attached, location } as FileObject;
  };
  return locate;
}

/** Size and class as they are in the output collection; an input keeps what it says. */
function describe(location: string, object: FileObject, collection: Collection): FileObject {
  const { portableDataHash, path } = parseKeepLocation(location);
  if (portableDataHash !== collection.portableDataHash) return object;
  const entry = findEntry(collection, path);
  if (entry === undefined || (entry.kind === 'file') !== isFile(object)) throw missingError(location, object);
  return entry.kind === 'file' ? toFileValue(collection, path) : toDirectoryValue(collection, path);
}

/** Paths at which inputs were seen, and what they are. */
function movedPaths(job: Pick<ToolJob, 'inputs'>): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const { path, location } of allFileObjects(job.inputs)) {
    if (path !== undefined && location !== undefined) paths.set(path, location);
  }
  return paths;
}

function toRelative(path: string, outdir: string): string | undefined {
  if (path === outdir || path === `${outdir}/`) return '';
  const isInside = path.startsWith(`${outdir}/`);
  if (!isInside && (path.startsWith('/') || /^[a-z][a-z0-9+.-]*:/i.test(path))) return undefined;
  const inside = isInside ? path.slice(outdir.length + 1) : path;
  const parts = inside.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : parts.join('/');
}

const outsideError = (text: string, object: FileObject) =>
  jobError(
    'job/outside-output',
    `a ${object.class} of an output lies outside the output directory: ${JSON.stringify(text.slice(0, 200))}`,
    {
      hint: 'let the tool write or copy it into the output directory',
    },
  );

const missingError = (text: string, object: FileObject) =>
  jobError('job/bad-output', `expected a ${object.class} at ${JSON.stringify(text.slice(0, 200))}, found none`, {
    hint: 'check the name, and that the tool wrote it',
  });

/** A file or directory of the output collection as expressions see it. */
export function toSeenObject(scope: OutputScope, path: string): FileObject {
  const { collection, paths } = scope;
  const seen = path === '' ? paths.outdir : `${paths.outdir}/${path}`;
  const basename = seen.slice(seen.lastIndexOf('/') + 1);
  if (findEntry(collection, path)?.kind === 'directory') {
    return { ...toDirectoryValue(collection, path), basename, path: seen };
  }
  const dirname = seen.slice(0, seen.lastIndexOf('/'));
  return { ...toFileValue(collection, path), ...splitName(basename), path: seen, dirname };
}
