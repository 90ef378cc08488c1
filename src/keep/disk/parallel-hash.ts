import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { BlockLocator } from '../../core/ids.ts';
import { fromMd5 } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import { digestBytes, type HashJob } from './hash-job.ts';

/** From here on the threads, which start in some 50 ms, are worth it. */
export const minParallelBytes = 4 * maxBlockBytes;
/** More threads than this wait for the disk. */
const maxThreads = 4;

interface ParallelOptions {
  readonly copyTo?: number | undefined;
  readonly copyDirectlyTo?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The blocks of an open file of this size, hashed by a thread for each processor; with `copyTo`, copied there as well. */
export async function hashInParallel(
  fd: number,
  sizeBytes: number,
  { copyTo, copyDirectlyTo, signal }: ParallelOptions = {},
): Promise<readonly BlockLocator[]> {
  const blocks = Math.ceil(sizeBytes / maxBlockBytes);
  const job: HashJob = {
    fd,
    sizeBytes,
    claimed: new Int32Array(new SharedArrayBuffer(4)),
    digests: new Uint8Array(new SharedArrayBuffer(blocks * digestBytes)),
    ...(copyTo === undefined ? {} : { copyTo }),
    ...(copyDirectlyTo === undefined ? {} : { copyDirectlyTo }),
  };
  const threads = Math.min(maxThreads, availableParallelism(), blocks);
  // Each thread ends with the block that it has.
  const claimAll = () => Atomics.store(job.claimed, 0, blocks);
  signal?.addEventListener('abort', claimAll, { once: true });
  const outcomes = await Promise.allSettled(Array.from({ length: threads }, () => runThread(job)));
  signal?.removeEventListener('abort', claimAll);
  signal?.throwIfAborted();
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return Array.from({ length: blocks }, (_, block) => {
    const digest = Buffer.from(job.digests.subarray(block * digestBytes, (block + 1) * digestBytes));
    return fromMd5(digest.toString('hex'), Math.min(maxBlockBytes, sizeBytes - block * maxBlockBytes));
  });
}

function runThread(job: HashJob): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl(), { workerData: job, execArgv: [] });
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

/** Beside this file in the sources; in the bundle each worker is an entry of its own. */
function workerUrl(): URL {
  const { url } = import.meta;
  if (url.endsWith('.ts')) return new URL('./hash-worker.ts', url);
  return new URL(url.includes('/chunks/') ? '../hash-worker.js' : './hash-worker.js', url);
}
