import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeGroup } from './cgroup-files.ts';
import { type CgroupRoots, findCgroupRoots } from './cgroup-roots.ts';
import { createLegacyLimits } from './cgroup-v1.ts';
import { createUnifiedLimits } from './cgroup-v2.ts';
import type { LimitSpec, Limits } from './limits.ts';
import { createWatchdog } from './watchdog.ts';

const prefix = 'hallmark-';

/** Makes limits with the best means that this machine gives us. */
export interface LimitMaker {
  create(spec: LimitSpec): Limits;
  /** Removes groups that no process is in and whose id is nobody's any more. */
  reap(isOwned: (id: string) => boolean): Promise<void>;
}

export function createLimitMaker(roots: CgroupRoots = findCgroupRoots()): LimitMaker {
  const { unified, legacy } = roots;
  return {
    create(spec) {
      const name = prefix + spec.id.replaceAll('/', '_');
      if (unified?.controllers.includes('memory')) return createUnifiedLimits(unified.folder, name, spec);
      const groups = createLegacyLimits(legacy, name, spec);
      const isEnough = legacy.memory !== undefined || (spec.ramBytes === undefined && !spec.accountsCpu);
      return isEnough ? groups : both(groups, createWatchdog(spec));
    },
    async reap(isOwned) {
      for (const root of [unified?.folder, ...Object.values(legacy)]) {
        if (root === undefined) continue;
        const names = readdirSync(root).filter((name) => name.startsWith(prefix));
        for (const name of names) if (!isOwned(name.slice(prefix.length))) await removeGroup(join(root, name));
      }
    },
  };
}

const both = (first: Limits, second: Limits): Limits => ({
  confine(pid) {
    first.confine(pid);
    second.confine(pid);
  },
  usage: () => ({ ...first.usage(), ...second.usage() }),
  ranOutOfMemory: () => first.ranOutOfMemory() || second.ranOutOfMemory(),
  async remove() {
    await first.remove();
    await second.remove();
  },
});
