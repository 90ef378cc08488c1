import { readSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { errorCode } from '../block-errors.ts';
import { createMd5 } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import { claimNext, digestBytes, directUnitBytes, type HashJob } from './hash-job.ts';

/** One thread of `hashInParallel`: takes the next block that nobody has taken until none is left. */
const { fd, copyTo, copyDirectlyTo, sizeBytes, claimed, digests } = workerData as HashJob;
const chunkBytes = copyDirectlyTo === undefined ? 1024 * 1024 : 4 * 1024 * 1024;
const buffer = allocatePages(chunkBytes);

for (let block = claimNext(claimed); block * maxBlockBytes < sizeBytes; block = claimNext(claimed)) {
  const start = block * maxBlockBytes;
  digests.set(hashRange(start, Math.min(start + maxBlockBytes, sizeBytes)), block * digestBytes);
}

function hashRange(start: number, end: number): Buffer {
  const md5 = createMd5();
  for (let position = start; position < end; ) {
    const length = readSync(fd, buffer, 0, Math.min(buffer.length, end - position), position);
    if (length === 0) throw new Error('the file became shorter while it was read');
    const chunk = buffer.subarray(0, length);
    md5.update(chunk);
    copy(chunk, position);
    position += length;
  }
  return md5.digest();
}

function copy(chunk: Buffer, position: number): void {
  if (copyTo === undefined) return;
  const isAligned = (position | chunk.length) % directUnitBytes === 0;
  const done = copyDirectlyTo !== undefined && isAligned ? writeDirectly(copyDirectlyTo, chunk, position) : 0;
  writeFully(copyTo, chunk.subarray(done), position + done);
}

/** How much of it: none where the disk asks for more than `directUnitBytes`. */
function writeDirectly(file: number, chunk: Buffer, position: number): number {
  try {
    return writeSync(file, chunk, 0, chunk.length, position);
  } catch (error) {
    if (errorCode(error) === 'EINVAL') return 0;
    throw error;
  }
}

function writeFully(file: number, chunk: Buffer, position: number): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done, chunk.length - done, position + done);
}

/** Of the engine; neither the types of Node.js nor the language's have it. */
declare const WebAssembly: { Memory: new (descriptor: { initial: number }) => { readonly buffer: ArrayBuffer } };

/** Memory that begins with a page, which no Buffer promises. */
function allocatePages(length: number): Buffer {
  const wasmPageBytes = 65_536;
  return Buffer.from(new WebAssembly.Memory({ initial: length / wasmPageBytes }).buffer);
}
