import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import type { StreamTarget } from '../port.ts';
import { type Draining, type Output, openOutput, toDraining } from './output.ts';

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
export interface Child extends Group {
  readonly pid: number;
  readonly control: Duplex | undefined;
  /** Lets this process end while the child lives. */
  unref(): void;
  /** Takes `unref` back. */
  ref(): void;
}

/** What a container needs of its processes. */
export interface Group extends Draining {
  /** The process itself has ended. */
  readonly ended: Promise<ChildEnd>;
  /** SIGKILL to the whole group. */
  kill(): void;
}

/** Rejects with the error of the system call when the command cannot be started. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const ours: number[] = [];
  const open = (path: string, flags: string): number => {
    const descriptor = openSync(path, flags, 0o666);
    ours.push(descriptor);
    return descriptor;
  };
  const outputs = [await openOutput(options.stdout), await openOutput(options.stderr)] as const;
  try {
    const stdin = open(options.stdin ?? '/dev/null', 'r');
    const [stdout, stderr] = [open(outputs[0].path, 'w'), open(outputs[1].path, 'w')];
    const [file, ...args] = options.command;
    const child = spawn(file, args, {
      stdio: [stdin, stdout, stderr, ...(options.control ? (['pipe'] as const) : [])],
      detached: true,
      env: { ...options.environment },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    if (child.pid === undefined) throw await new Promise<Error>((resolve) => child.once('error', resolve));
    return toChild(child, child.pid, outputs);
  } catch (error) {
    for (const output of outputs) output.abandon();
    throw error;
  } finally {
    for (const descriptor of ours) closeSync(descriptor);
  }
}

function toChild(process: ChildProcess, pid: number, outputs: readonly Output[]): Child {
  process.on('error', () => {});
  const control = process.stdio[3] as Socket | null | undefined;
  return {
    pid,
    control: control ?? undefined,
    ended: new Promise((resolve) => process.once('exit', (code, signal) => resolve(toEnd(code, signal)))),
    ...toDraining(outputs),
    kill: () => killGroup(pid),
    unref() {
      process.unref();
      control?.unref();
    },
    ref: () => process.ref(),
  };
}

const toEnd = (code: number | null, signal: NodeJS.Signals | null): ChildEnd =>
  signal === null ? { exitCode: code ?? 0 } : { exitCode: 128 + constants.signals[signal], signal };

/** SIGKILL to a process group, and to its leader, which may not have made it yet; nothing when they have gone. */
export function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
