import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readKeyed, removeGroup, tryWrite } from './cgroup-files.ts';
import { readUnifiedUsage } from './cgroup-usage.ts';
import type { LimitSpec, Limits } from './limits.ts';

const cpuPeriodUs = 100_000;

/** Limits by cgroup v2. Memory that runs out ends the whole group (`memory.oom.group`). */
export function createUnifiedLimits(root: string, name: string, spec: LimitSpec): Limits {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  if (spec.ramBytes !== undefined) {
    tryWrite(folder, 'memory.max', spec.ramBytes);
    tryWrite(folder, 'memory.swap.max', 0);
    tryWrite(folder, 'memory.oom.group', 1);
  }
  tryWrite(folder, 'pids.max', spec.maxProcesses);
  if (spec.cpus !== undefined) tryWrite(folder, 'cpu.max', `${Math.round(spec.cpus * cpuPeriodUs)} ${cpuPeriodUs}`);
  return {
    confine: (pid) => void tryWrite(folder, 'cgroup.procs', pid),
    usage: () => readUnifiedUsage(folder),
    ranOutOfMemory: () => (readKeyed(folder, 'memory.events', 'oom_kill') ?? 0) > 0,
    remove: () => removeGroup(folder),
  };
}
