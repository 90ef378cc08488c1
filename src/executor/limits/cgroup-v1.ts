import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readKeyed, removeGroup, tryWrite } from './cgroup-files.ts';
import type { CgroupRoots, LegacyController } from './cgroup-roots.ts';
import { readLegacyUsage } from './cgroup-usage.ts';
import type { LimitSpec, Limits } from './limits.ts';

const cpuPeriodUs = 100_000;

/** Limits by cgroup v1, in those of its hierarchies that are ours to write. */
export function createLegacyLimits(roots: CgroupRoots['legacy'], name: string, spec: LimitSpec): Limits {
  const folders: Partial<Record<LegacyController, string>> = {};
  for (const [controller, root] of Object.entries(roots) as [LegacyController, string][]) {
    if (controller === 'cpu' && spec.cpus === undefined) continue;
    if (controller === 'cpuacct' && !spec.accountsCpu) continue;
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true });
    folders[controller] = folder;
  }
  const { memory, pids, cpu } = folders;
  if (memory && spec.ramBytes !== undefined) {
    tryWrite(memory, 'memory.limit_in_bytes', spec.ramBytes);
    tryWrite(memory, 'memory.memsw.limit_in_bytes', spec.ramBytes);
  }
  if (pids) tryWrite(pids, 'pids.max', spec.maxProcesses);
  if (cpu && spec.cpus !== undefined) {
    tryWrite(cpu, 'cpu.cfs_period_us', cpuPeriodUs);
    tryWrite(cpu, 'cpu.cfs_quota_us', Math.round(spec.cpus * cpuPeriodUs));
  }
  return {
    confine(pid) {
      for (const folder of Object.values(folders)) tryWrite(folder, 'cgroup.procs', pid);
    },
    usage: () => readLegacyUsage(folders),
    ranOutOfMemory: () => memory !== undefined && (readKeyed(memory, 'memory.oom_control', 'oom_kill') ?? 0) > 0,
    async remove() {
      for (const folder of Object.values(folders)) await removeGroup(folder);
    },
  };
}
