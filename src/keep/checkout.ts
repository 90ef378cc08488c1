import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, link, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { mapLimited } from '../core/concurrency.ts';
import { errorCode, toStoreError } from './block-errors.ts';
import type { Collection, CollectionFile } from './collection.ts';
import type { DiskBlockStore } from './disk/disk-store.ts';
import { blockMode, sizeOfFile } from './disk/place.ts';
import { openFile } from './file-reader.ts';
import { blockSizeBytes } from './locator.ts';
import type { LocalBlockStore } from './port.ts';
import { removeTree } from './remove-tree.ts';

/** Enough to keep the file system's threads busy. */
const parallelFiles = 16;
const directoryMode = 0o555;

/**
 * Makes the tree of `collection` at `directory`: hard links to what the store holds whole, copies of the rest, all
 * read-only. `directory` is either complete or absent, also after a crash; when it is there already, nothing is done.
 * Concurrent calls are safe.
 */
export async function checkout(
  store: LocalBlockStore,
  collection: Collection,
  directory: string,
  temporaryPath = `${directory}.${randomBytes(6).toString('hex')}.part`,
): Promise<void> {
  if ((await sizeOfFile(directory)) !== undefined) return;
  try {
    await mkdir(dirname(directory), { recursive: true });
    await fillTree(store, collection, temporaryPath);
    await nameTree(temporaryPath, directory);
  } catch (error) {
    await removeTree(temporaryPath);
    throw toStoreError(error, `lay out collection ${collection.portableDataHash}`, directory);
  }
}

/** The tree of `collection` below the store's own folder, made when it is not there: `trees/<portable data hash>`. */
export async function checkoutCached(store: DiskBlockStore, collection: Collection): Promise<string> {
  const directory = join(store.directory, 'trees', collection.portableDataHash);
  await checkout(store, collection, directory, store.newTemporaryPath());
  return directory;
}

async function fillTree(store: LocalBlockStore, collection: Collection, root: string): Promise<void> {
  await mkdir(root);
  const directories = [...collection.directories].sort((a, b) => a.length - b.length);
  for (const path of directories) await mkdir(join(root, path));
  await mapLimited([...collection.files.values()], parallelFiles, (file) =>
    placeFile(store, file, join(root, file.path)),
  );
  for (const path of directories.reverse()) await chmod(join(root, path), directoryMode);
}

/** A read-only directory cannot change its parent, so the top becomes read-only last. */
async function nameTree(from: string, directory: string): Promise<void> {
  try {
    await rename(from, directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
    await removeTree(from); // Another process was first; its tree is the same.
    return;
  }
  await chmod(directory, directoryMode);
}

async function placeFile(store: LocalBlockStore, file: CollectionFile, path: string): Promise<void> {
  const whole = await findWhole(store, file);
  if (whole === undefined) {
    await pipeline(openFile(store, file), createWriteStream(path, { flags: 'wx', mode: blockMode }));
    return;
  }
  try {
    await link(whole, path);
  } catch (error) {
    // Too many links to one block, or a tree on another file system.
    if (!['EMLINK', 'EXDEV', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    await copyFile(whole, path);
  }
}

/** The path of a file on disk with exactly this content. */
async function findWhole(store: LocalBlockStore, file: CollectionFile): Promise<string | undefined> {
  const covers = file.segments.every(
    ({ locator, offset, length }) => offset === 0 && length === blockSizeBytes(locator),
  );
  return covers ? store.wholeFile(file.segments.map(({ locator }) => locator)) : undefined;
}
