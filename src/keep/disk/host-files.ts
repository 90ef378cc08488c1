import { type BigIntStats, constants, lstatSync } from 'node:fs';
import { chmod, type FileHandle, open, rm, stat, unlink } from 'node:fs/promises';
import type { BlockLocator } from '../../core/ids.ts';
import { errorCode } from '../block-errors.ts';
import { keepError } from '../errors.ts';
import type { StoredFile } from '../port.ts';
import { hasBlock, indexWholeFile, type Parts, placeOf, totalBytes, wholeFile, writeBlock } from './blocks.ts';
import { hashFile } from './hash-file.ts';
import { blockMode } from './place.ts';
import { writerSinceMs } from './writers.ts';

/** Up to here a file is read whole before anything is written. */
const smallBytes = 4 * 1024 * 1024;

/** `LocalBlockStore.adoptFile`. */
export async function adoptFile(store: Parts, path: string, signal?: AbortSignal): Promise<StoredFile> {
  await using file = await openRegular(path);
  const before = await file.stat({ bigint: true });
  // Another link to the file, or another file system: it cannot be taken, only copied.
  if (before.nlink > 1n || before.dev !== (await stat(store.layout.directory, { bigint: true })).dev) {
    return await copyAndRemove(store, { path, file, signal });
  }
  const locators = await hashFile(file, { signal });
  await checkUnchanged(file, before, path);
  const target = await newPlaceOf(store, locators);
  if (target === undefined) await giveUp(path);
  else if (!(await take(store, path, target, { file, before })))
    return await copyAndRemove(store, { path, file, signal });
  return finishFile(store, locators);
}

interface OpenFile {
  readonly file: FileHandle;
  readonly before: BigIntStats;
}

/**
 * False when the file is another user's, such as a container's: then it can only be copied. Only the open file is touched: what
 * else took its name meanwhile, a symbolic link for one, is not followed, and does not stay in the store.
 */
async function take({ place }: Parts, path: string, target: string, { file, before }: OpenFile): Promise<boolean> {
  try {
    await file.chmod(blockMode);
    // A claim: what a tool copied with its times may have been read last long ago.
    if (before.atimeMs < writerSinceMs) await file.utimes(new Date(), Number(before.mtimeMs) / 1000);
    await place.moveFile(path, target);
    if (lstatSync(target, { bigint: true }).ino === (await file.stat({ bigint: true })).ino) return true;
    await unlink(target);
    throw changed(path);
  } catch (error) {
    if (['EPERM', 'EACCES', 'EXDEV'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

/** A file to be copied. */
interface Source {
  readonly path: string;
  readonly file: FileHandle;
  readonly signal: AbortSignal | undefined;
}

async function copyAndRemove(store: Parts, source: Source): Promise<StoredFile> {
  const stored = await copyFile(store, source);
  await giveUp(source.path);
  return stored;
}

/** In a folder that its owner may not write to it stays, and goes with that folder. */
async function giveUp(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
  });
}

/** `LocalBlockStore.storeFile`. */
export async function storeFile(store: Parts, path: string, signal?: AbortSignal): Promise<StoredFile> {
  signal?.throwIfAborted();
  await using file = await openRegular(path);
  const before = await file.stat({ bigint: true });
  const locators = await store.known.find(before);
  if (locators && (await hasAll(store, locators))) return { locators, sizeBytes: totalBytes(locators) };
  const readAtNs = store.clock.nowNs();
  const stored = await (before.size <= smallBytes ? readSmallFile : copyFile)(store, { path, file, signal });
  await store.known.remember(before, stored.locators, readAtNs);
  return stored;
}

async function hasAll(store: Parts, locators: readonly BlockLocator[]): Promise<boolean> {
  if ((await wholeFile(store, locators)) === undefined) return false;
  for (const locator of locators) if (!(await hasBlock(store, locator))) return false;
  return true;
}

/** Read whole before anything is written: most small files are in the store already. */
async function readSmallFile(store: Parts, { path, file }: Source): Promise<StoredFile> {
  const before = await file.stat({ bigint: true });
  const data = await file.readFile();
  await checkUnchanged(file, before, path);
  return { locators: data.length === 0 ? [] : [await writeBlock(store, data)], sizeBytes: data.length };
}

/** What is kept is what was hashed: a clone, or the very bytes on their way to the copy. */
async function copyFile(store: Parts, { path, file, signal }: Source): Promise<StoredFile> {
  const before = await file.stat({ bigint: true });
  const clone = await store.place.cloneFile(path);
  if (clone !== undefined) return keepClone(store, clone, signal);
  let locators: readonly BlockLocator[] = [];
  await store.place.fillFile(async (copy) => {
    locators = await hashFile(file, { copyTo: copy, signal });
    await checkUnchanged(file, before, path);
    return newPlaceOf(store, locators);
  });
  return finishFile(store, locators);
}

async function keepClone(store: Parts, clone: string, signal?: AbortSignal): Promise<StoredFile> {
  try {
    await using file = await open(clone, 'r');
    const locators = await hashFile(file, { signal });
    const path = await newPlaceOf(store, locators);
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
async function newPlaceOf(store: Parts, locators: readonly BlockLocator[]): Promise<string | undefined> {
  if (locators.length === 0 || (await wholeFile(store, locators)) !== undefined) return undefined;
  return placeOf(store.layout, locators);
}

async function finishFile(store: Parts, locators: readonly BlockLocator[]): Promise<StoredFile> {
  if (locators.length > 1) await indexWholeFile(store, locators);
  return { locators, sizeBytes: totalBytes(locators) };
}

/** Never through a symbolic link: what a container wrote must not lead to a file of the host. */
async function openRegular(path: string): Promise<FileHandle> {
  const file = await openUnlinked(path);
  if (file && (await file.stat()).isFile()) return file;
  await file?.close();
  throw keepError(
    'keep/store-failed',
    `cannot store a file: expected a regular file, got ${file ? 'something else' : 'a symbolic link'}`,
    { hint: 'give the path that it leads to', where: { file: path } },
  );
}

async function openUnlinked(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (errorCode(error) === 'ELOOP') return undefined;
    throw error;
  }
}

async function checkUnchanged(file: FileHandle, before: BigIntStats, path: string): Promise<void> {
  const after = await file.stat({ bigint: true });
  if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw changed(path);
}

const changed = (path: string) =>
  keepError('keep/store-failed', 'a file changed while it was stored', {
    hint: 'wait until what writes it has ended, then run again',
    where: { file: path },
    retryable: true,
  });
