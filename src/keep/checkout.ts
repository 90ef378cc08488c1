import { randomBytes } from 'node:crypto';
import { chmodSync, createWriteStream, linkSync, mkdirSync } from 'node:fs';
import { chmod, copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { cacheBlocks } from './block-cache.ts';
import { errorCode, toStoreError } from './block-errors.ts';
import type { Collection, CollectionFile } from './collection.ts';
import type { DiskBlockStore } from './disk/disk-store.ts';
import { toLayout } from './disk/layout.ts';
import { blockMode, sizeOfFile } from './disk/place.ts';
import { openFile } from './file-reader.ts';
import { blockSizeBytes } from './locator.ts';
import type { LocalBlockStore } from './port.ts';
import { removeTree } from './remove-tree.ts';

/** Links are made ten times as fast without the thread pool; after this many, others get their turn. */
const filesPerTurn = 256;
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
  if (sizeOfFile(directory) !== undefined) return;
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
  const directory = join(toLayout(store.directory).trees, collection.portableDataHash);
  if (!(await store.claim(directory))) await checkout(store, collection, directory, store.newTemporaryPath());
  return directory;
}

async function fillTree(store: LocalBlockStore, collection: Collection, root: string): Promise<void> {
  await mkdir(root);
  const directories = [...collection.directories].sort((a, b) => a.length - b.length);
  for (const path of directories) mkdirSync(join(root, path));
  const blocks = cacheBlocks(store);
  let count = 0;
  for (const file of collection.files.values()) {
    const path = join(root, file.path);
    if (!(await linkWhole(store, file, path))) {
      await pipeline(openFile(blocks, file), createWriteStream(path, { flags: 'wx', mode: blockMode }));
    }
    count += 1;
    if (count % filesPerTurn === 0) await setImmediate();
  }
  for (const path of directories.reverse()) chmodSync(join(root, path), directoryMode);
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

/** False when the store has no file of exactly this content. */
async function linkWhole(store: LocalBlockStore, file: CollectionFile, path: string): Promise<boolean> {
  const whole = await findWhole(store, file);
  if (whole === undefined) return false;
  try {
    linkSync(whole, path);
  } catch (error) {
    // Too many links to one block, or a tree on another file system.
    if (!['EMLINK', 'EXDEV', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    await copyFile(whole, path);
  }
  return true;
}

/** The path of a file on disk with exactly this content. */
async function findWhole(store: LocalBlockStore, file: CollectionFile): Promise<string | undefined> {
  const covers = file.segments.every(
    ({ locator, offset, length }) => offset === 0 && length === blockSizeBytes(locator),
  );
  return covers ? store.wholeFile(file.segments.map(({ locator }) => locator)) : undefined;
}
