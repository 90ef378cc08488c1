import { executorError } from '../errors.ts';
import type { JoinedLimits } from '../limits/limits.ts';
import type { StreamTarget } from '../port.ts';
import type { Group } from '../process/child.ts';

/** What the first process of a container is started with, beside its plan or program, which lies in `scratch`. */
export interface StartOptions {
  readonly scratch: string;
  readonly stdin?: string;
  readonly stdout: StreamTarget;
  readonly stderr: StreamTarget;
}

export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** A container's processes. `kill` ends them all; `ended` resolves when the last of them that could do anything is gone. */
export interface Init extends Group {
  /** Of all processes that have ended; undefined where the end was violent. Settles with `ended`. */
  readonly cpu: Promise<CpuSeconds | undefined>;
  /** The kernel has taken it apart: nothing is mounted any more. */
  readonly gone: Promise<unknown>;
  /** Where any were asked for; to be removed when it is gone. */
  readonly limits?: Omit<JoinedLimits, 'confine'>;
}

/** The first process was killed: it had no time for its last words, and what started it says nothing of use. */
export const killedEnd = { exitCode: 137, signal: 'SIGKILL' };

export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** From what it said instead of `started`. */
export function toStartError(said: string): Error {
  const text =
    said
      .replace(/^ready.*\n/, '')
      .replace(/^first.*\n/, '')
      .trim()
      .split('\n')
      .slice(0, 3)
      .join('; ') || 'its first process ended at once';
  if (/No space left/.test(text)) {
    return executorError('executor/no-space', `the container could not be started: ${text}`, {
      hint: 'free some space',
    });
  }
  return executorError('executor/start-failed', `the container could not be started: ${text}`, { hint: hintFor(text) });
}

function hintFor(text: string): string {
  if (/overlay/.test(text)) {
    return 'the scratch folder must lie on a file system that can hold an overlay (ext4, xfs, btrfs, tmpfs); Linux 5.11 or newer';
  }
  if (/proc/.test(text))
    return 'inside another container, start that one with its /proc unmasked, or choose another executor';
  return 'look at the message; it comes from the mount or unshare program of this machine';
}
