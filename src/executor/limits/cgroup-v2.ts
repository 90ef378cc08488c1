import { join } from 'node:path';
import { readKeyed, removeGroup, tryWrite } from './cgroup-files.ts';
import { readUnifiedUsage } from './cgroup-usage.ts';
import type { Groups } from './limits.ts';

const cpuPeriodUs = 100_000;

/** A group of cgroup v2. Memory that runs out ends all of it (`memory.oom.group`). */
export function toUnifiedGroup(root: string, name: string): Groups {
  const folder = join(root, name);
  return {
    folders: [folder],
    limit({ ramBytes, maxProcesses, cpus }) {
      if (ramBytes !== undefined) {
        tryWrite(folder, 'memory.max', ramBytes);
        tryWrite(folder, 'memory.swap.max', 0);
        tryWrite(folder, 'memory.oom.group', 1);
      }
      tryWrite(folder, 'pids.max', maxProcesses);
      if (cpus !== undefined) tryWrite(folder, 'cpu.max', `${Math.round(cpus * cpuPeriodUs)} ${cpuPeriodUs}`);
    },
    usage: () => readUnifiedUsage(folder),
    ranOutOfMemory: () => (readKeyed(folder, 'memory.events', 'oom_kill') ?? 0) > 0,
    remove: () => removeGroup(folder),
  };
}
