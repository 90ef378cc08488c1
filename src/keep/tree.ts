import { buildCollection } from './build-collection.ts';
import type { Collection, CollectionFile } from './collection.ts';
import { keepError } from './errors.ts';
import { baseName, checkPath, compareCodePoints, joinPath, parentPath } from './paths.ts';

/** An entry of a directory listing. */
export type CollectionEntry =
  | { readonly kind: 'file'; readonly name: string; readonly path: string; readonly file: CollectionFile }
  | { readonly kind: 'directory'; readonly name: string; readonly path: string };

/** What `combine` places: the file, directory or whole collection (`''`) at `path` of `source`, as `target`. */
export interface Placement {
  readonly source: Collection;
  readonly path: string;
  /** Where it goes; `''` puts the content of a directory at the top. */
  readonly target: string;
}

/** The file or directory at `path` (`''`: the root, a trailing slash is ignored), or undefined. */
export function findEntry(collection: Collection, path: string): CollectionEntry | undefined {
  const clean = path.replace(/^\.\/|\/+$/g, '');
  const file = collection.files.get(clean);
  if (file) return { kind: 'file', name: baseName(clean), path: clean, file };
  if (clean === '' || clean === '.') return { kind: 'directory', name: '', path: '' };
  return collection.directories.has(clean) ? { kind: 'directory', name: baseName(clean), path: clean } : undefined;
}

/** Fails with `keep/no-such-file`. */
export function getEntry(collection: Collection, path: string): CollectionEntry {
  const entry = findEntry(collection, path);
  if (entry) return entry;
  throw keepError('keep/no-such-file', `collection ${collection.portableDataHash} has no ${JSON.stringify(path)}`, {
    hint: nearest(collection, path),
  });
}

/** Fails with `keep/no-such-file`, also for a directory. */
export function getFile(collection: Collection, path: string): CollectionFile {
  const entry = getEntry(collection, path);
  if (entry.kind === 'file') return entry.file;
  throw keepError('keep/no-such-file', `expected a file, got the directory ${JSON.stringify(path)}`);
}

function nearest(collection: Collection, path: string): string {
  const name = baseName(path);
  const elsewhere = [...collection.files.keys()].find((candidate) => baseName(candidate) === name);
  if (elsewhere !== undefined) return `did you mean ${JSON.stringify(elsewhere)}?`;
  const some = [...collection.files.keys()].slice(0, 3).map((candidate) => JSON.stringify(candidate));
  return some.length === 0 ? 'it has no files at all' : `it holds ${collection.files.size} files: ${some.join(', ')} …`;
}

/** A file, or the path of a directory: entries are made when they are asked for, since they outweigh the files. */
type Child = CollectionFile | string;

const indexes = new WeakMap<Collection, ReadonlyMap<string, readonly Child[]>>();

/** The entries of the directory at `path`, by name. Fails with `keep/no-such-file`. */
export function listDirectory(collection: Collection, path: string): readonly CollectionEntry[] {
  const entry = getEntry(collection, path);
  if (entry.kind === 'file') throw keepError('keep/no-such-file', `expected a directory, got the file "${path}"`);
  let index = indexes.get(collection);
  if (!index) {
    index = indexDirectories(collection);
    indexes.set(collection, index);
  }
  return (index.get(entry.path) ?? []).map(toEntry);
}

const pathOf = (child: Child): string => (typeof child === 'string' ? child : child.path);

function toEntry(child: Child): CollectionEntry {
  const path = pathOf(child);
  const name = baseName(path);
  return typeof child === 'string' ? { kind: 'directory', name, path } : { kind: 'file', name, path, file: child };
}

function indexDirectories(collection: Collection): Map<string, Child[]> {
  const index = new Map<string, Child[]>();
  const add = (child: Child) => {
    const parent = parentPath(pathOf(child));
    const siblings = index.get(parent);
    if (siblings) siblings.push(child);
    else index.set(parent, [child]);
  };
  for (const path of collection.directories) add(path);
  for (const file of collection.files.values()) add(file);
  for (const children of index.values()) children.sort((a, b) => compareCodePoints(pathOf(a), pathOf(b)));
  return index;
}

/** The file or directory at `path` as a collection of its own: a directory's content at the top, a file by its name. */
export function subtree(collection: Collection, path: string): Collection {
  const entry = getEntry(collection, path);
  if (entry.path === '') return collection;
  return combine([{ source: collection, path, target: entry.kind === 'file' ? entry.name : '' }]);
}

/**
 * One collection of parts of others; no data moves. Directories placed at one path are merged; a file placed where a
 * later one goes is replaced. Fails with `keep/no-such-file`, and with `keep/bad-path` where a file meets a directory.
 */
export function combine(placements: readonly Placement[]): Collection {
  const files = new Map<string, CollectionFile>();
  const directories = new Set<string>();
  for (const placement of placements) place(placement, files, directories);
  return buildCollection(files.values(), directories);
}

function place({ source, path, target }: Placement, files: Map<string, CollectionFile>, directories: Set<string>) {
  const entry = getEntry(source, path);
  if (target !== '') checkPath(target);
  if (entry.kind === 'file') {
    const at = checkPath(target);
    files.set(at, { ...entry.file, path: at });
    return;
  }
  if (target !== '') directories.add(target);
  const prefix = entry.path === '' ? '' : `${entry.path}/`;
  for (const directory of source.directories) {
    if (directory.startsWith(prefix)) directories.add(joinPath(target, directory.slice(prefix.length)));
  }
  for (const file of source.files.values()) {
    if (!file.path.startsWith(prefix)) continue;
    const at = joinPath(target, file.path.slice(prefix.length));
    files.set(at, { ...file, path: at });
  }
}
