import { readdirSync, readFileSync } from 'node:fs';
import type { LimitSpec, Limits } from './limits.ts';

const intervalMs = 50;

/**
 * Limits without control groups: looks at the processes twenty times a second and ends the first one, and with it all, when
 * their own memory (shared pages not counted) is more than allowed. A burst between two looks is not seen.
 */
export function createWatchdog(spec: LimitSpec): Limits {
  let firstPid: number | undefined;
  let peakRamBytes = 0;
  let isOver = false;
  const look = (): void => {
    if (firstPid === undefined) return;
    const ramBytes = sumTree(firstPid);
    peakRamBytes = Math.max(peakRamBytes, ramBytes);
    if (spec.ramBytes === undefined || ramBytes <= spec.ramBytes || isOver) return;
    isOver = true;
    kill(firstPid);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    confine(pid) {
      firstPid = pid;
      timer = setInterval(look, intervalMs);
      timer.unref();
    },
    usage: () => (peakRamBytes > 0 ? { peakRamBytes } : {}),
    ranOutOfMemory: () => isOver,
    async remove() {
      firstPid = undefined;
      clearInterval(timer);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function sumTree(pid: number): number {
  let total = readPrivateBytes(pid);
  for (const child of readChildren(pid)) total += sumTree(child);
  return total;
}

/** proc(5), `/proc/PID/status`: anonymous memory and what of it is swapped out. */
function readPrivateBytes(pid: number): number {
  const status = read(`/proc/${pid}/status`);
  const kib = (key: string): number => Number(status.match(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm'))?.[1] ?? 0);
  return (kib('RssAnon') + kib('VmSwap')) * 1024;
}

/** proc(5), `/proc/PID/task/TID/children`: each thread has its own. */
function readChildren(pid: number): number[] {
  return list(`/proc/${pid}/task`)
    .map((thread) => read(`/proc/${pid}/task/${thread}/children`).trim())
    .filter((text) => text !== '')
    .flatMap((text) => text.split(' ').map(Number));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
