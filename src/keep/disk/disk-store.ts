import { type BigIntStats, constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, rm, stat, unlink } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { tooLargeError, toStoreError } from '../block-errors.ts';
import { keepError } from '../errors.ts';
import { blockSizeBytes, emptyBlockLocator, stripHints, toLocator } from '../locator.ts';
import { type LocalBlockStore, maxBlockBytes, type StoredFile } from '../port.ts';
import { hashFile } from './hash-file.ts';
import { createKnownFiles, type KnownFiles } from './known-files.ts';
import { type Layout, ownPath, toLayout, wholePath } from './layout.ts';
import { blockMode, createPlace, type Place, sizeOfFile } from './place.ts';
import { readBlock } from './read-block.ts';
import { openTemporaryFolder } from './temporary.ts';
import { findInWholeFile, indexWholeFile } from './whole-files.ts';

export interface DiskBlockStoreOptions {
  readonly clock: Clock;
  /**
   * Force every file to the disk before it is acknowledged, so that it survives a loss of power too. Default false: it
   * survives the end of any process, and what a power cut tore is found by its checksum and named.
   */
  readonly fsync?: boolean;
}

/** Blocks in a directory laid out as keepstore's `Directory` volume. */
export interface DiskBlockStore extends LocalBlockStore {
  readonly directory: string;
  /** A path on the same file system that nothing uses; the next process clears what a dead one leaves there. */
  newTemporaryPath(): string;
  /** Gives each block a file of its own, as keepstore expects, also where a whole file holds it already. */
  exportBlocks(locators: readonly BlockLocator[]): Promise<void>;
}

export async function openDiskBlockStore(directory: string, options: DiskBlockStoreOptions): Promise<DiskBlockStore> {
  const layout = toLayout(directory);
  const temporary = await named(`open the block store`, directory, async () => {
    await mkdir(directory, { recursive: true });
    return openTemporaryFolder(layout.tmp);
  });
  const place = createPlace(temporary, { fsync: options.fsync ?? false });
  const known = createKnownFiles(layout, place);
  const store: Parts = { layout, place, known, clock: options.clock };
  return {
    directory,
    newTemporaryPath: temporary.newPath,
    read: (locator, signal) => named('read a block', directory, () => read(store, locator, signal)),
    write: (data) => named('write a block', directory, () => write(store, data)),
    has: (locator) => named('look for a block', directory, () => has(layout, locator)),
    adoptFile: (path) => named('store a file', path, () => adoptFile(store, path)),
    storeFile: (path) => named('store a file', path, () => storeFile(store, path)),
    wholeFile: (locators) => named('look for a file', directory, () => wholeFile(layout, locators)),
    exportBlocks: (locators) => named('write a block', directory, () => exportBlocks(store, locators)),
  };
}

const smallBytes = 4 * 1024 * 1024;

interface Parts {
  readonly layout: Layout;
  readonly place: Place;
  readonly known: KnownFiles;
  readonly clock: Clock;
}

async function named<T>(doing: string, path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw toStoreError(error, doing, path);
  }
}

async function read({ layout }: Parts, locator: BlockLocator, signal?: AbortSignal): Promise<Uint8Array> {
  return isEmptyBlock(locator) ? new Uint8Array(0) : readBlock(layout, locator, signal);
}

async function write({ layout, place }: Parts, data: Uint8Array): Promise<BlockLocator> {
  if (data.length > maxBlockBytes) throw tooLargeError(data.length);
  const locator = toLocator(data);
  if (!(await has(layout, locator))) await place.writeFile(ownPath(layout, locator), data);
  return locator;
}

async function has(layout: Layout, locator: BlockLocator): Promise<boolean> {
  if (isEmptyBlock(locator)) return true;
  if (sizeOfFile(ownPath(layout, locator)) === blockSizeBytes(locator)) return true;
  return (await findInWholeFile(layout, locator)) !== undefined;
}

const isEmptyBlock = (locator: BlockLocator) => stripHints(locator) === emptyBlockLocator;

async function wholeFile(layout: Layout, locators: readonly BlockLocator[]): Promise<string | undefined> {
  if (locators.length === 0) return undefined;
  const sizeBytes = totalBytes(locators);
  const path = placeOf(layout, locators);
  return sizeOfFile(path) === sizeBytes ? path : undefined;
}

function placeOf(layout: Layout, locators: readonly BlockLocator[]): string {
  const [only] = locators;
  return locators.length === 1 && only ? ownPath(layout, only) : wholePath(layout, locators);
}

function totalBytes(locators: readonly BlockLocator[]): number {
  return locators.reduce((sum, locator) => sum + blockSizeBytes(locator), 0);
}

async function exportBlocks({ layout, place }: Parts, locators: readonly BlockLocator[]): Promise<void> {
  for (const locator of locators) {
    const own = ownPath(layout, locator);
    if (sizeOfFile(own) === blockSizeBytes(locator)) continue;
    await place.writeFile(own, await readBlock(layout, locator));
  }
}

async function adoptFile(store: Parts, path: string): Promise<StoredFile> {
  const { layout, place } = store;
  await using file = await openRegular(path);
  const before = await file.stat({ bigint: true });
  // Another link to the file, or another file system: it cannot be taken, only copied.
  if (before.nlink > 1n || before.dev !== (await stat(layout.directory, { bigint: true })).dev) {
    const stored = await copyFile(store, path, file);
    await unlink(path);
    return stored;
  }
  const locators = await hashFile(file);
  await checkUnchanged(file, before, path);
  const target = await newPlaceOf(layout, locators);
  if (target === undefined) await unlink(path);
  else {
    await chmod(path, blockMode);
    await place.moveFile(path, target);
  }
  return finishFile(store, locators);
}

async function storeFile(store: Parts, path: string): Promise<StoredFile> {
  await using file = await openRegular(path);
  const before = await file.stat({ bigint: true });
  const locators = await store.known.find(before);
  if (locators && (await hasAll(store.layout, locators))) return { locators, sizeBytes: totalBytes(locators) };
  const readAtNs = store.clock.nowNs();
  const stored = await (before.size <= smallBytes ? readSmallFile : copyFile)(store, path, file);
  await store.known.remember(before, stored.locators, readAtNs);
  return stored;
}

async function hasAll(layout: Layout, locators: readonly BlockLocator[]): Promise<boolean> {
  if ((await wholeFile(layout, locators)) === undefined) return false;
  for (const locator of locators) if (!(await has(layout, locator))) return false;
  return true;
}

/** Read whole before anything is written: most small files are in the store already. */
async function readSmallFile(store: Parts, path: string, file: FileHandle): Promise<StoredFile> {
  const before = await file.stat({ bigint: true });
  const data = await file.readFile();
  await checkUnchanged(file, before, path);
  return { locators: data.length === 0 ? [] : [await write(store, data)], sizeBytes: data.length };
}

/** What is kept is what was hashed: a clone, or the very bytes on their way to the copy. */
async function copyFile(store: Parts, path: string, file: FileHandle): Promise<StoredFile> {
  const before = await file.stat({ bigint: true });
  const clone = await store.place.cloneFile(path);
  if (clone !== undefined) return keepClone(store, clone);
  let locators: readonly BlockLocator[] = [];
  await store.place.fillFile(async (copy) => {
    locators = await hashFile(file, copy);
    await checkUnchanged(file, before, path);
    return newPlaceOf(store.layout, locators);
  });
  return finishFile(store, locators);
}

async function keepClone(store: Parts, clone: string): Promise<StoredFile> {
  try {
    await using file = await open(clone, 'r');
    const locators = await hashFile(file);
    const path = await newPlaceOf(store.layout, locators);
    if (path !== undefined) {
      await chmod(clone, blockMode);
      await store.place.moveFile(clone, path);
    }
    return await finishFile(store, locators);
  } finally {
    await rm(clone, { force: true });
  }
}

/** Where a file of these blocks goes; undefined when it is there or has no bytes. */
async function newPlaceOf(layout: Layout, locators: readonly BlockLocator[]): Promise<string | undefined> {
  if (locators.length === 0 || (await wholeFile(layout, locators)) !== undefined) return undefined;
  return placeOf(layout, locators);
}

async function finishFile({ layout, place }: Parts, locators: readonly BlockLocator[]): Promise<StoredFile> {
  if (locators.length > 1) await indexWholeFile(layout, locators, place);
  return { locators, sizeBytes: totalBytes(locators) };
}

async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw keepError('keep/store-failed', 'cannot store a file: expected a regular file', { where: { file: path } });
}

async function checkUnchanged(file: FileHandle, before: BigIntStats, path: string): Promise<void> {
  const after = await file.stat({ bigint: true });
  if (after.size === before.size && after.mtimeNs === before.mtimeNs) return;
  throw keepError('keep/store-failed', 'a file changed while it was stored', {
    hint: 'wait until what writes it has ended, then run again',
    where: { file: path },
    retryable: true,
  });
}
