import type { FileHandle } from 'node:fs/promises';
import type { BlockLocator } from '../../core/ids.ts';
import { createMd5, fromMd5 } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import { isTooLargeForCache, openDirect } from './direct.ts';
import { hashInParallel, minParallelBytes } from './parallel-hash.ts';

const chunkBytes = 4 * 1024 * 1024;

/** Takes chunks in order and names the blocks they make, 64 MiB each. */
function createBlockHasher() {
  const locators: BlockLocator[] = [];
  let md5 = createMd5();
  let bytes = 0;
  const endBlock = () => {
    locators.push(fromMd5(md5.digest('hex'), bytes));
    md5 = createMd5();
    bytes = 0;
  };
  return {
    update: (data: Uint8Array) => {
      for (let rest = data; rest.length > 0; ) {
        const part = rest.subarray(0, maxBlockBytes - bytes);
        md5.update(part);
        bytes += part.length;
        rest = rest.subarray(part.length);
        if (bytes === maxBlockBytes) endBlock();
      }
    },
    end: (): readonly BlockLocator[] => {
      if (bytes > 0) endBlock();
      return locators;
    },
  };
}

export interface HashOptions {
  /** The bytes are written there as well. */
  readonly copyTo?: FileHandle;
  readonly signal?: AbortSignal | undefined;
}

/** The blocks of a file, which is read once. */
export async function hashFile(file: FileHandle, options: HashOptions = {}): Promise<readonly BlockLocator[]> {
  const { copyTo, signal } = options;
  const { size } = await file.stat();
  if (size < minParallelBytes) return hashInTurn(file, options);
  await using direct = copyTo && isTooLargeForCache(size) ? await openDirect(copyTo) : undefined;
  return await hashInParallel(file.fd, size, { copyTo: copyTo?.fd, copyDirectlyTo: direct?.fd, signal });
}

/** In this thread: the next chunk is read and the last one written while the present one is hashed. */
export async function hashInTurn(
  file: FileHandle,
  { copyTo, signal }: HashOptions = {},
): Promise<readonly BlockLocator[]> {
  const hasher = createBlockHasher();
  const buffers = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)] as const;
  let position = 0;
  let written: Promise<void> = Promise.resolve();
  let next = readChunk(file, buffers[0], position);
  for (let turn = 0; ; turn += 1) {
    const chunk = await next;
    if (chunk.length === 0) break;
    signal?.throwIfAborted();
    position += chunk.length;
    await written; // It used the buffer that the next read fills.
    next = readChunk(file, turn % 2 === 0 ? buffers[1] : buffers[0], position);
    next.catch(() => {});
    written = copyTo ? writeChunk(copyTo, chunk) : written;
    written.catch(() => {});
    hasher.update(chunk);
  }
  await written;
  return hasher.end();
}

async function readChunk(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function writeChunk(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let rest = chunk; rest.length > 0; ) {
    const { bytesWritten } = await file.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}
