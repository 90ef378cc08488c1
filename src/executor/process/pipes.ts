import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toMessage } from '../../core/errors.ts';
import { executorError } from '../errors.ts';
import { toolEnvironment } from './tool-environment.ts';

const run = promisify(execFile);
const batchSize = 32;
const maxFree = 64;
/** open(2): names a file without opening it. Neither reader nor writer of a FIFO. */
const O_PATH = 0x200000;

/**
 * One pipe from a child to us. Node's own are sockets, and a program that opens `/dev/stdout` fails on a socket; these are
 * FIFOs, which behave as the pipes of a shell.
 */
export interface Pipe {
  readonly reader: Socket;
  /** What any process of this user opens to write. The end is when all who did have closed it. */
  readonly path: string;
}

/** FIFOs that have been unlinked and are free; each is held by an `O_PATH` descriptor, so that a crash leaves none. */
const free: number[] = [];

export async function openPipe(): Promise<Pipe> {
  const { path, toReader } = await openQuietPipe();
  return { path, reader: toReader() };
}

/** One that nobody listens to yet: to listen costs the event loop more than to read what a short command has said. */
export interface QuietPipe {
  readonly path: string;
  /** Some of what has come: `nothing` while somebody still holds the other end, undefined when nobody does any more. */
  read(): Uint8Array | undefined;
  /** Listens from now on; nothing here is called any more. */
  toReader(): Socket;
  close(): void;
}

export async function openQuietPipe(): Promise<QuietPipe> {
  const anchor = await takeAnchor();
  const path = `/proc/${process.pid}/fd/${anchor}`;
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // At the end no writer is left, so that the next user cannot meet this one's.
  let isDone = false;
  const leave = (): void => {
    if (isDone) release(anchor);
    else closeSync(anchor);
  };
  return {
    path,
    read() {
      const data = readAvailable(descriptor);
      isDone = data === undefined;
      return data;
    },
    toReader() {
      const reader = new Socket({ fd: descriptor, readable: true, writable: false });
      reader.once('end', () => {
        isDone = true;
      });
      reader.once('close', leave);
      return reader;
    },
    close() {
      closeSync(descriptor);
      leave();
    },
  };
}

const nothing = new Uint8Array(0);
/** What a FIFO holds at most. */
const scratch = Buffer.alloc(64 * 1024);

function readAvailable(descriptor: number): Uint8Array | undefined {
  try {
    const length = readSync(descriptor, scratch);
    return length === 0 ? undefined : Uint8Array.from(scratch.subarray(0, length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return nothing;
    throw error;
  }
}

/** The way back: what is written here arrives at whoever opens `path` to read. Its end is `close`, or ours. */
export interface BackPipe {
  readonly path: string;
  write(text: string): void;
  /** With `readers` the FIFO is used again once that resolves: when those who read have taken all of it, and are gone. */
  close(readers?: Promise<unknown>): void;
}

export async function openBackPipe(): Promise<BackPipe> {
  const anchor = await takeAnchor();
  const path = `/proc/${process.pid}/fd/${anchor}`;
  // To read and write, so that the other side finds a writer whenever it opens.
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return {
    path,
    write: (text) => void writeSync(descriptor, text),
    close(readers = Promise.reject()) {
      closeSync(descriptor);
      readers.then(
        () => release(anchor),
        () => closeSync(anchor),
      );
    },
  };
}

function release(anchor: number): void {
  if (free.length < maxFree) free.push(anchor);
  else closeSync(anchor);
}

let batch: Promise<void> | undefined;

/** Callers that find none free share the making of one batch at a time, so that few lie idle. */
async function takeAnchor(): Promise<number> {
  for (;;) {
    const anchor = free.pop();
    if (anchor !== undefined) return anchor;
    batch ??= makeBatch().finally(() => {
      batch = undefined;
    });
    await batch;
  }
}

const folderPrefix = 'hallmark-pipes-';
/** A folder is there for as long as its FIFOs are made. */
const abandonedMs = 10 * 60 * 1000;
let isCleared = false;

async function makeBatch(): Promise<void> {
  if (!isCleared) void clearAbandoned();
  isCleared = true;
  const folder = await mkdtemp(join(tmpdir(), folderPrefix)).catch((cause: unknown) => {
    throw executorError(
      'executor/start-failed',
      `expected a folder to make pipes in, got ${tmpdir()}: ${toMessage(cause)}`,
      {
        hint: 'set TMPDIR to a folder that you may write to',
        cause,
      },
    );
  });
  try {
    const paths = Array.from({ length: batchSize }, (_, index) => join(folder, String(index)));
    await run('mkfifo', ['-m', '666', ...paths], { env: toolEnvironment });
    free.push(...paths.map((path) => openSync(path, O_PATH)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The folder of a process that was killed just then stays until another one starts. */
async function clearAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    if (!name.startsWith(folderPrefix)) continue;
    const folder = join(tmpdir(), name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    // Another user's cannot be removed, and need not be.
    if (mtimeMs < Date.now() - abandonedMs) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}
