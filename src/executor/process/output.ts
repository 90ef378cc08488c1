import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { StreamTarget } from '../port.ts';
import { openQuietPipe, type QuietPipe } from './pipes.ts';

/** Where a process writes, and what carries it on from there. */
export interface Output {
  /** What the process opens to write. Created or truncated when it is a file. */
  readonly path: string;
  /** All was taken; rejects when the target failed. */
  readonly drained: Promise<void>;
  /** The process has ended: what it wrote is taken at once. */
  finish(): void;
  /** Gives up on what is still to come. */
  abandon(): void;
}

export async function openOutput(target: StreamTarget): Promise<Output> {
  switch (target.kind) {
    case 'file':
      return toOutput(target.path);
    case 'ignore':
      return toOutput('/dev/null');
    case 'stream':
      return carry(await openQuietPipe(), target.writable);
  }
}

const toOutput = (path: string): Output => ({ path, drained: Promise.resolve(), finish() {}, abandon() {} });

/** A command that ends sooner is not listened to: what it says waits in its pipe, and it itself where that is full. */
const listenAfterMs = 10;

function carry(pipe: QuietPipe, writable: Writable): Output {
  const { promise: drained, resolve, reject } = Promise.withResolvers<void>();
  drained.catch(() => {});
  let isQuiet = true;
  let reader: Readable | undefined;
  const listen = (): void => {
    isQuiet = false;
    reader = pipe.toReader();
    pump(reader, writable).then(resolve, reject);
  };
  const timer = setTimeout(listen, listenAfterMs);
  const endQuiet = (): boolean => {
    const wasQuiet = isQuiet;
    isQuiet = false;
    clearTimeout(timer);
    return wasQuiet;
  };
  return {
    path: pipe.path,
    drained,
    finish() {
      if (!endQuiet()) return;
      if (!takeWaiting(pipe, writable)) return listen();
      pipe.close();
      flush(writable).then(resolve, reject);
    },
    abandon() {
      reader?.destroy();
      if (!endQuiet()) return;
      pipe.close();
      reject(new Error('the output was given up'));
    },
  };
}

/** True: that was all. */
function takeWaiting(pipe: QuietPipe, writable: Writable): boolean {
  for (;;) {
    const data = pipe.read();
    if (data === undefined) return true;
    if (data.length === 0 || !writable.write(data)) return false;
  }
}

/** The outputs of a group of processes. */
export interface Draining {
  /** Everything it wrote has been taken; rejects when a target failed. Waits for every holder of its output to end. */
  readonly drained: Promise<void>;
  /** Takes what it wrote at once, now that it has ended. */
  finishOutput(): void;
  /** Gives up on output that some process outside the group still holds open. */
  abandonOutput(): void;
}

export function toDraining(outputs: readonly Output[]): Draining {
  const drained = Promise.all(outputs.map((output) => output.drained)).then(() => {});
  drained.catch(() => {});
  return {
    drained,
    finishOutput() {
      for (const output of outputs) output.finish();
    },
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
  await flush(writable);
}

/** All that was written has been taken. */
async function flush(writable: Writable): Promise<void> {
  if (writable.writableLength === 0 && !writable.destroyed) return;
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
