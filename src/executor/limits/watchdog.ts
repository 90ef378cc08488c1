import type { ContainerUsage } from '../port.ts';
import type { LimitSpec, Limits } from './limits.ts';
import { measureTree } from './process-tree.ts';
import { higherOf } from './samples.ts';

const intervalMs = 50;

/**
 * Limits without control groups: looks at the processes twenty times a second and ends the first one, and with it all, when
 * their own memory is more than allowed. A burst between two looks is not seen.
 */
export function createWatchdog(spec: LimitSpec): Limits {
  let firstPid: number | undefined;
  let usage: ContainerUsage = {};
  let isOver = false;
  const look = (): void => {
    if (firstPid === undefined) return;
    const { ramBytes, ...use } = measureTree(firstPid);
    if (ramBytes > 0) usage = higherOf(usage, { peakRamBytes: ramBytes, ...use });
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
    usage: () => usage,
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
