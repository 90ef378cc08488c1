import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { StreamTarget } from '../port.ts';
import { openPipe } from './pipes.ts';

/** Where a process writes, and what carries it on from there. */
export interface Output {
  /** What the process opens to write. Created or truncated when it is a file. */
  readonly path: string;
  /** All was taken; rejects when the target failed. */
  readonly drained: Promise<void>;
  /** Gives up on what is still to come. */
  abandon(): void;
}

export async function openOutput(target: StreamTarget): Promise<Output> {
  switch (target.kind) {
    case 'file':
      return { path: target.path, drained: Promise.resolve(), abandon() {} };
    case 'ignore':
      return { path: '/dev/null', drained: Promise.resolve(), abandon() {} };
    case 'stream': {
      const { reader, path } = await openPipe();
      const drained = pump(reader, target.writable);
      drained.catch(() => {});
      return { path, drained, abandon: () => void reader.destroy() };
    }
  }
}

/** Several outputs as one. */
export function toDraining(outputs: readonly Output[]): { drained: Promise<void>; abandonOutput(): void } {
  const drained = Promise.all(outputs.map((output) => output.drained)).then(() => {});
  drained.catch(() => {});
  return {
    drained,
    abandonOutput() {
      for (const output of outputs) output.abandon();
    },
  };
}

/** Writes all of it to the target, at the target's pace, and leaves the target open. */
async function pump(reader: Readable, writable: Writable): Promise<void> {
  for await (const chunk of reader) {
    if (!writable.write(chunk)) await drain(writable);
  }
  await new Promise<void>((resolve, reject) => {
    writable.write('', (error) => (error ? reject(error) : resolve()));
  });
}

async function drain(writable: Writable): Promise<void> {
  const abort = new AbortController();
  const ready = new Promise<void>((resolve) => writable.once('drain', resolve));
  try {
    await Promise.race([ready, finished(writable, { signal: abort.signal, readable: false })]);
  } finally {
    abort.abort();
  }
}
