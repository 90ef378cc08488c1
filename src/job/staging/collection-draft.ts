import { createHash } from 'node:crypto';
import { toBlockLocator } from '../../core/ids.ts';
import { isFile } from '../../cwl/values.ts';
import { buildCollection } from '../../keep/build-collection.ts';
import type { Collection, CollectionFile } from '../../keep/collection.ts';
import { type KeepLocation, parseKeepLocation } from '../../keep/location.ts';
import { getFile, listDirectory } from '../../keep/tree.ts';
import { jobError } from '../errors.ts';
import { type FileObject, nameOf } from '../file-objects.ts';
import type { JobFiles } from '../files.ts';
import type { StagedBlock } from '../model.ts';
import { checkBasename } from './names.ts';

/** A collection put together of files that are in Keep already, and of literals. No byte of a file moves. */
export interface CollectionDraft {
  /** Puts `object` at `path`, its secondaryFiles beside it. Fails with `job/staging-conflict` when something else is there. */
  add(path: string, object: FileObject): Promise<void>;
  addText(path: string, text: string): void;
  readonly isEmpty: boolean;
  build(): Collection;
}

/** `blocks` receives the text of literals. */
export function draftCollection(keep: JobFiles, blocks: StagedBlock[]): CollectionDraft {
  const files = new Map<string, CollectionFile>();
  const directories = new Set<string>();

  const put = (file: CollectionFile) => {
    const known = files.get(file.path);
    if (known && !isSameContent(known, file)) throw conflict(file.path);
    files.set(file.path, file);
  };
  const addText = (path: string, text: string) => put(toLiteral(path, text, blocks));
  const addDirectory = async (path: string, object: FileObject) => {
    directories.add(path);
    if (object.location !== undefined) await copyTree(keep, object.location, path, { put, directories });
    else for (const inner of listingOf(object)) await addInto(path, inner);
  };
  const addInto = (directory: string, object: FileObject) => add(`${directory}/${requireName(object)}`, object);
  const add = async (path: string, object: FileObject): Promise<void> => {
    if (!isFile(object)) return addDirectory(path, object);
    if (object.location !== undefined) put({ ...(await openFile(keep, object.location)), path });
    else addText(path, requireContents(object));
    const parent = path.includes('/') ? `${path.slice(0, path.lastIndexOf('/'))}/` : '';
    for (const beside of object.secondaryFiles ?? []) await add(parent + requireName(beside), beside);
  };
  return {
    add,
    addText,
    get isEmpty() {
      return files.size + directories.size === 0;
    },
    build: () => buildCollection(files.values(), directories),
  };
}

/** The file at a `keep:` location. Fails with `keep/no-such-file`. */
export async function openFile(keep: JobFiles, location: string): Promise<CollectionFile> {
  const { portableDataHash, path } = parseLocation(location);
  return getFile(await keep.openCollection(portableDataHash), path);
}

export function parseLocation(location: string): KeepLocation {
  if (location.startsWith('keep:')) return parseKeepLocation(location);
  throw jobError('job/bad-location', `expected a "keep:" location, got ${JSON.stringify(location.slice(0, 200))}`, {
    hint: 'files of the host and of the web are stored in Keep before a job is made',
  });
}

interface TreeSink {
  readonly put: (file: CollectionFile) => void;
  readonly directories: Set<string>;
}

async function copyTree(keep: JobFiles, location: string, target: string, sink: TreeSink): Promise<void> {
  const source = parseLocation(location);
  const collection = await keep.openCollection(source.portableDataHash);
  const copy = (directory: string, to: string) => {
    sink.directories.add(to);
    for (const entry of listDirectory(collection, directory)) {
      const path = `${to}/${entry.name}`;
      if (entry.kind === 'file') sink.put({ ...entry.file, path });
      else copy(entry.path, path);
    }
  };
  copy(source.path, target);
}

function toLiteral(path: string, text: string, blocks: StagedBlock[]): CollectionFile {
  const data = new TextEncoder().encode(text);
  if (data.length === 0) return { path, sizeBytes: 0, segments: [] };
  const locator = toBlockLocator(`${createHash('md5').update(data).digest('hex')}+${data.length}`);
  blocks.push({ locator, data });
  return { path, sizeBytes: data.length, segments: [{ locator, offset: 0, length: data.length }] };
}

function requireName(object: FileObject): string {
  const name = nameOf(object);
  if (name !== undefined) return checkBasename(name, 'basename');
  throw jobError('job/bad-name', `expected a basename on a ${object.class} literal, got none`, {
    hint: 'give the literal a "basename"',
  });
}

function requireContents(object: FileObject): string {
  if (typeof object.contents === 'string') return object.contents;
  throw jobError(
    'job/bad-input',
    `expected a File with a location or with contents, got ${JSON.stringify(nameOf(object))}`,
    {
      hint: 'give the File a "location" or "contents"',
    },
  );
}

function listingOf(object: FileObject): readonly FileObject[] {
  const listing = 'listing' in object ? object.listing : undefined;
  if (Array.isArray(listing)) return listing as readonly FileObject[];
  throw jobError(
    'job/bad-input',
    `expected a Directory with a location or a listing, got ${JSON.stringify(nameOf(object))}`,
    {
      hint: 'give the Directory a "location" or a "listing"',
    },
  );
}

function isSameContent(a: CollectionFile, b: CollectionFile): boolean {
  return a.sizeBytes === b.sizeBytes && JSON.stringify(a.segments) === JSON.stringify(b.segments);
}

function conflict(path: string) {
  return jobError('job/staging-conflict', `two different files are to be staged as ${JSON.stringify(path)}`, {
    hint: 'give one of them another basename',
  });
}
