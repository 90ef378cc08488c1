import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { BlockLocator } from '../../core/ids.ts';
import { damagedError, errorCode, missingError, unlessGoneLater } from '../block-errors.ts';
import { blockMd5, blockSizeBytes, createMd5 } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import { type Layout, ownPath } from './layout.ts';
import { sizeOfFile } from './place.ts';
import { type BlockPlace, findInWholeFile } from './whole-files.ts';

/** Reads and checks a block; what is damaged is set aside, so that writing it again heals the store. */
export async function readBlock(layout: Layout, locator: BlockLocator, signal?: AbortSignal): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const place = (await findOwn(layout, locator)) ?? (await findInWholeFile(layout, locator));
  const data = place && (await readRange(place));
  if (!place || !data) throw missingError(locator);
  const md5 = await md5Of(data, signal);
  if (md5 !== blockMd5(locator) || data.length !== place.length) {
    await setAside(layout, place.path);
    throw damagedError(locator, `${md5}+${data.length}`, place.path);
  }
  if (data.length !== blockSizeBytes(locator)) throw missingError(locator, place.path);
  return data;
}

async function findOwn(layout: Layout, locator: BlockLocator): Promise<BlockPlace | undefined> {
  const path = ownPath(layout, locator);
  const sizeBytes = sizeOfFile(path);
  return sizeBytes === undefined ? undefined : { path, offset: 0, length: Math.min(sizeBytes, maxBlockBytes + 1) };
}

/** What is there of the range; undefined when the file has gone. */
function readRange({ path, offset, length }: BlockPlace): Promise<Buffer | undefined> {
  return unlessGoneLater(async () => {
    await using file = await open(path, 'r');
    return await readFully(file, offset, length);
  });
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

const sliceBytes = 4 * 1024 * 1024;

/** In slices, so that a large block does not hold up everything else. */
async function md5Of(data: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
  const md5 = createMd5();
  for (let start = 0; start < data.length; start += sliceBytes) {
    md5.update(data.subarray(start, start + sliceBytes));
    if (start + sliceBytes < data.length) {
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  return md5.digest('hex');
}

async function setAside(layout: Layout, path: string): Promise<void> {
  await mkdir(layout.damaged, { recursive: true });
  try {
    await rename(path, join(layout.damaged, basename(path)));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
