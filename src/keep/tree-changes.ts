import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, lstatSync, readdirSync, type Stats } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isHallmarkError } from '../core/errors.ts';
import { errorCode, unlessGone } from './block-errors.ts';
import type { Collection, CollectionFile } from './collection.ts';
import type { DiskBlockStore } from './disk/disk-store.ts';
import { toLayout } from './disk/layout.ts';
import { openFile } from './file-reader.ts';
import { joinPath } from './paths.ts';
import { removeTree } from './remove-tree.ts';
import { listDirectory } from './tree.ts';

/**
 * Where files of the tree are not kept from being changed (root ignores their modes): what is not as `collection` says is never used
 * again. Returns its paths. Blocks that are damaged are set aside; the tree goes, with all others that show one of the changed files.
 */
export async function setChangesAside(
  store: DiskBlockStore,
  collection: Collection,
  directory: string,
  sinceMs: number,
): Promise<readonly string[]> {
  const changes = await findChanges(store, collection, directory, sinceMs);
  if (changes.length > 0) await dropTrees(store, directory, changes);
  return changes;
}

/** The kernel dates what is written by its last tick. */
const tickMs = 10;

/** A file of the right size is read only where its time says that it was written since `sinceMs`: who sets times back is not found. */
async function findChanges(
  store: DiskBlockStore,
  collection: Collection,
  directory: string,
  sinceMs: number,
): Promise<readonly string[]> {
  const changes: string[] = [];
  for (const path of ['', ...collection.directories]) {
    const expected = new Set(listDirectory(collection, path).map(({ name }) => name));
    const found = new Set(namesIn(join(directory, path)));
    for (const name of expected.symmetricDifference(found)) changes.push(joinPath(path, name));
  }
  for (const file of collection.files.values()) {
    const path = join(directory, file.path);
    const stats = look(path);
    if (stats === undefined) continue;
    const isLikely = stats.isFile() && stats.size === file.sizeBytes;
    const isOld = stats.mtimeMs < sinceMs - tickMs;
    if (isLikely && (isOld || (await hasContent(store, file, path)))) continue;
    await hasContent(store, file, path).catch(() => false); // Reading its blocks sets those aside that are damaged.
    changes.push(file.path);
  }
  return changes;
}

/** A folder may be a file by now. */
const gone = ['ENOENT', 'ENOTDIR'];
const namesIn = (directory: string): readonly string[] => unlessGone(() => readdirSync(directory), gone) ?? [];
const look = (path: string): Stats | undefined => unlessGone(() => lstatSync(path), gone);

async function hasContent(store: DiskBlockStore, file: CollectionFile, path: string): Promise<boolean> {
  try {
    const expected = createHash('md5');
    await pipeline(openFile(store, file), expected);
    const found = createHash('md5');
    await pipeline(createReadStream(path), found);
    return expected.digest('hex') === found.digest('hex');
  } catch (error) {
    if (isHallmarkError(error, 'keep/block-damaged', 'keep/block-missing')) return false;
    throw error;
  }
}

async function dropTrees(store: DiskBlockStore, directory: string, paths: readonly string[]): Promise<void> {
  const changed = new Set(paths.map((path) => identity(look(join(directory, path)))));
  changed.delete(undefined);
  const { trees } = toLayout(store.directory);
  for (const name of readdirSync(trees)) {
    const tree = join(trees, name);
    if (tree === directory || shows(tree, changed)) await drop(store, tree);
  }
}

function shows(path: string, changed: ReadonlySet<string | undefined>): boolean {
  const stats = look(path);
  if (stats?.isDirectory()) return namesIn(path).some((name) => shows(join(path, name), changed));
  return stats !== undefined && changed.has(identity(stats));
}

const identity = (stats: Stats | undefined): string | undefined =>
  stats?.isFile() ? `${stats.dev}-${stats.ino}` : undefined;

async function drop(store: DiskBlockStore, tree: string): Promise<void> {
  const gone = store.newTemporaryPath();
  try {
    chmodSync(tree, 0o700); // A read-only directory cannot change its parent.
    await rename(tree, gone);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return; // Another process was first.
    throw error;
  }
  await removeTree(gone);
}
