import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { StreamTarget } from '../port.ts';
import { openPipe } from './pipes.ts';

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
  /** Takes `unref` back. */
  ref(): void;
}

/** Rejects with the error of the system call when the command cannot be started. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const ours: number[] = [];
  try {
    const stdout = await openTarget(options.stdout, ours);
    const stderr = await openTarget(options.stderr, ours);
    const stdin = options.stdin === undefined ? 'ignore' : keep(openSync(options.stdin, 'r'), ours);
    const [file, ...args] = options.command;
    const child = spawn(file, args, {
      stdio: [stdin, stdout.descriptor, stderr.descriptor, ...(options.control ? (['pipe'] as const) : [])],
      detached: true,
      env: { ...options.environment },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const outputs = [stdout, stderr].filter((output) => output.reader !== undefined);
    if (child.pid === undefined) {
      for (const { reader } of outputs) reader?.destroy();
      throw await new Promise<Error>((resolve) => child.once('error', resolve));
    }
    return toChild(child, child.pid, outputs);
  } finally {
    for (const descriptor of ours) closeSync(descriptor);
  }
}

interface Output {
  readonly descriptor: number | 'ignore';
  readonly reader?: Readable;
  readonly writable?: Writable;
}

const keep = (descriptor: number, ours: number[]): number => {
  ours.push(descriptor);
  return descriptor;
};

async function openTarget(target: StreamTarget, ours: number[]): Promise<Output> {
  switch (target.kind) {
    case 'file':
      return { descriptor: keep(openSync(target.path, 'w', 0o666), ours) };
    case 'stream': {
      const { reader, writer } = await openPipe();
      return { descriptor: keep(writer, ours), reader, writable: target.writable };
    }
    case 'ignore':
      return { descriptor: 'ignore' };
  }
}

function toChild(process: ChildProcess, pid: number, outputs: readonly Output[]): Child {
  process.on('error', () => {});
  const drained = Promise.all(outputs.map(pump)).then(() => {});
  drained.catch(() => {});
  const control = process.stdio[3] as Socket | null | undefined;
  return {
    pid,
    control: control ?? undefined,
    ended: new Promise((resolve) => process.once('exit', (code, signal) => resolve(toEnd(code, signal)))),
    drained,
    kill: () => killGroup(pid),
    abandonOutput() {
      for (const { reader } of outputs) reader?.destroy();
    },
    unref() {
      process.unref();
      control?.unref();
    },
    ref: () => process.ref(),
  };
}

const toEnd = (code: number | null, signal: NodeJS.Signals | null): ChildEnd =>
  signal === null ? { exitCode: code ?? 0 } : { exitCode: 128 + constants.signals[signal], signal };

/** Writes all of it to the target, at the target's pace, and leaves the target open. */
async function pump({ reader, writable }: Output): Promise<void> {
  if (reader === undefined || writable === undefined) return;
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

/** SIGKILL to a process group; nothing when it has gone. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
