import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { StreamTarget } from '../port.ts';

export interface ChildOptions {
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** File to read; nothing when absent. */
  readonly stdin?: string;
  readonly stdout: StreamTarget;
  readonly stderr: StreamTarget;
  /** Gives the child a two-way channel as its descriptor 3, which ends when this process does. */
  readonly control?: boolean;
}

export interface ChildEnd {
  /** 128 + signal number for a death by signal. */
  readonly exitCode: number;
  readonly signal?: string;
}

/** A process that leads a session and a process group of its own. */
export interface Child {
  readonly pid: number;
  readonly control: Duplex | undefined;
  /** The process itself has ended. */
  readonly ended: Promise<ChildEnd>;
  /** Everything it wrote has been taken; rejects when a target failed. Waits for every holder of its output to end. */
  readonly drained: Promise<void>;
  /** SIGKILL to the whole group. */
  kill(): void;
  /** Gives up on output that some process outside the group still holds open. */
  abandonOutput(): void;
  /** Lets this process end while the child lives. */
  unref(): void;
}

/** Rejects with the error of the system call when the command cannot be started. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const opened: number[] = [];
  const open = (path: string, flags: string): number => {
    const descriptor = openSync(path, flags, 0o666);
    opened.push(descriptor);
    return descriptor;
  };
  try {
    const stdio: SpawnOptions['stdio'] = [
      options.stdin === undefined ? 'ignore' : open(options.stdin, 'r'),
      toStdio(options.stdout, open),
      toStdio(options.stderr, open),
      ...(options.control ? (['pipe'] as const) : []),
    ];
    const [file, ...args] = options.command;
    const child = spawn(file, args, {
      stdio,
      detached: true,
      env: { ...options.environment },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return await toChild(child, options);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function toStdio(target: StreamTarget, open: (path: string, flags: string) => number): number | 'pipe' | 'ignore' {
  switch (target.kind) {
    case 'file':
      return open(target.path, 'w');
    case 'stream':
      return 'pipe';
    case 'ignore':
      return 'ignore';
  }
}

async function toChild(process: ChildProcess, options: ChildOptions): Promise<Child> {
  const ended = new Promise<ChildEnd>((resolve) => {
    process.once('exit', (code, signal) => resolve(toEnd(code, signal)));
  });
  const { pid } = process;
  if (pid === undefined) {
    throw await new Promise<Error>((resolve) => process.once('error', resolve));
  }
  process.on('error', () => {});
  const drained = Promise.all([pump(process.stdout, options.stdout), pump(process.stderr, options.stderr)]);
  drained.catch(() => {});
  const control = process.stdio[3];
  return {
    pid,
    control: control ? (control as Duplex) : undefined,
    ended,
    drained: drained.then(() => {}),
    kill: () => killGroup(pid),
    abandonOutput() {
      process.stdout?.destroy();
      process.stderr?.destroy();
    },
    unref() {
      process.unref();
      if (control instanceof Socket) control.unref();
    },
  };
}

const toEnd = (code: number | null, signal: NodeJS.Signals | null): ChildEnd =>
  signal === null ? { exitCode: code ?? 0 } : { exitCode: 128 + constants.signals[signal], signal };

/** Writes all of `source` to the target, at the target's pace, and leaves the target open. */
async function pump(source: Readable | null, target: StreamTarget): Promise<void> {
  if (source === null || target.kind !== 'stream') return;
  const { writable } = target;
  for await (const chunk of source) {
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

/** SIGKILL to a process group; nothing when it has gone. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
