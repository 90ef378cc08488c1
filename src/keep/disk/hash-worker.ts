import { readSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { createMd5 } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import { claimNext, digestBytes, type HashJob } from './hash-job.ts';

/** One thread of `hashInParallel`: takes the next block that nobody has taken until none is left. */
const { fd, copyTo, sizeBytes, claimed, digests } = workerData as HashJob;
const buffer = Buffer.allocUnsafeSlow(1024 * 1024);

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
    if (copyTo !== undefined) writeFully(copyTo, chunk, position);
    position += length;
  }
  return md5.digest();
}

function writeFully(file: number, chunk: Buffer, position: number): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done, chunk.length - done, position + done);
}
