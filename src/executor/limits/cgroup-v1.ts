import { join } from 'node:path';
import { readKeyed, removeGroup, tryWrite } from './cgroup-files.ts';
import type { CgroupRoots, LegacyController } from './cgroup-roots.ts';
import { readLegacyUsage } from './cgroup-usage.ts';
import type { Groups } from './limits.ts';

const cpuPeriodUs = 100_000;

/** Groups of cgroup v1, in those of its hierarchies that are ours to write and that are asked for. */
export function toLegacyGroups(
  roots: CgroupRoots['legacy'],
  name: string,
  controllers: readonly LegacyController[],
): Groups {
  const folders: Partial<Record<LegacyController, string>> = {};
  for (const controller of controllers) {
    const root = roots[controller];
    if (root !== undefined) folders[controller] = join(root, name);
  }
  const { memory, pids, cpu } = folders;
  return {
    folders: Object.values(folders),
    limit({ ramBytes, maxProcesses, cpus }) {
      if (memory && ramBytes !== undefined) {
        tryWrite(memory, 'memory.limit_in_bytes', ramBytes);
        tryWrite(memory, 'memory.memsw.limit_in_bytes', ramBytes);
      }
      if (pids) tryWrite(pids, 'pids.max', maxProcesses);
      if (cpu && cpus !== undefined) {
        tryWrite(cpu, 'cpu.cfs_period_us', cpuPeriodUs);
        tryWrite(cpu, 'cpu.cfs_quota_us', Math.round(cpus * cpuPeriodUs));
      }
    },
    usage: () => readLegacyUsage(folders),
    ranOutOfMemory: () => memory !== undefined && (readKeyed(memory, 'memory.oom_control', 'oom_kill') ?? 0) > 0,
    async remove() {
      for (const folder of Object.values(folders)) await removeGroup(folder);
    },
  };
}
