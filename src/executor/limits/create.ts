import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOrphaned, ownedName } from '../process/owned.ts';
import { removeGroup, tryWrite } from './cgroup-files.ts';
import { type CgroupRoots, findCgroupRoots, type LegacyController } from './cgroup-roots.ts';
import { toLegacyGroups } from './cgroup-v1.ts';
import { toUnifiedGroup } from './cgroup-v2.ts';
import type { Groups, JoinedLimits, LimitSpec, Limits } from './limits.ts';
import { createWatchdog } from './watchdog.ts';

const prefix = 'hallmark-';

/** Makes limits with the best means that this machine gives us. */
export interface LimitMaker {
  create(spec: LimitSpec): Limits;
  /** For a process that joins groups before it is known what it will run. */
  plan(): PlannedLimits;
  /** Removes groups that no process is in and whose id is nobody's any more, or that a process has planned which is gone. */
  reap(isOwned: (id: string) => boolean): Promise<void>;
}

/** Groups for whichever container comes. The process makes the folders and joins them; they go with it, or by `remove`. */
export interface PlannedLimits extends Pick<Groups, 'folders' | 'remove'> {
  /** Once the process is in them. */
  hold(spec: LimitSpec): JoinedLimits;
}

export function createLimitMaker(roots: CgroupRoots = findCgroupRoots()): LimitMaker {
  const { unified, legacy } = roots;
  const toGroups = (name: string, controllers: readonly LegacyController[]): Groups =>
    unified?.controllers.includes('memory')
      ? toUnifiedGroup(unified.folder, name)
      : toLegacyGroups(legacy, name, controllers);
  const needsWatchdog = ({ ramBytes, accountsCpu }: LimitSpec) =>
    !unified?.controllers.includes('memory') && legacy.memory === undefined && (ramBytes !== undefined || accountsCpu);
  return {
    create(spec) {
      const limits = open(toGroups(toName(spec.id), wanted(spec)), spec);
      return needsWatchdog(spec) ? both(limits, createWatchdog(spec)) : limits;
    },
    plan() {
      const name = prefix + ownedName();
      const groups = toGroups(name, always);
      return {
        folders: groups.folders,
        remove: groups.remove,
        hold(spec) {
          groups.limit(spec);
          const late = wanted(spec).filter((controller) => !always.includes(controller));
          const isUnified = unified?.controllers.includes('memory');
          const others = [
            ...(late.length > 0 && !isUnified ? [open(toLegacyGroups(legacy, name, late), spec)] : []),
            ...(needsWatchdog(spec) ? [createWatchdog(spec)] : []),
          ];
          return others.reduce<JoinedLimits>(both, groups);
        },
      };
    },
    async reap(isOwned) {
      for (const root of [unified?.folder, ...Object.values(legacy)]) {
        if (root === undefined) continue;
        const ids = readdirSync(root)
          .filter((name) => name.startsWith(prefix))
          .map((name) => name.slice(prefix.length));
        for (const id of ids) if (isOrphaned(id) ?? !isOwned(id)) await removeGroup(join(root, prefix + id));
      }
    },
  };
}

const toName = (id: string): string => prefix + id.replaceAll('/', '_');

/** Of version 1, for every container. */
const always: readonly LegacyController[] = ['memory', 'pids'];

const wanted = ({ cpus, accountsCpu }: LimitSpec): LegacyController[] => [
  ...always,
  ...(cpus === undefined ? [] : ['cpu' as const]),
  ...(accountsCpu ? ['cpuacct' as const] : []),
];

/** Makes the groups, for a process that somebody else starts. */
function open(groups: Groups, spec: LimitSpec): Limits {
  for (const folder of groups.folders) mkdirSync(folder, { recursive: true });
  groups.limit(spec);
  return {
    ...groups,
    confine(pid) {
      for (const folder of groups.folders) tryWrite(folder, 'cgroup.procs', pid);
    },
  };
}

const both = (first: JoinedLimits, second: Limits): Limits => ({
  confine(pid) {
    first.confine?.(pid);
    second.confine(pid);
  },
  usage: () => ({ ...first.usage(), ...second.usage() }),
  ranOutOfMemory: () => first.ranOutOfMemory() || second.ranOutOfMemory(),
  async remove() {
    await first.remove();
    await second.remove();
  },
});
