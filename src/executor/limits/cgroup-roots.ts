import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { readText, tryWrite } from './cgroup-files.ts';

/** Folders in which this process may make control groups, by hierarchy. Absent: not here, or not for us. */
export interface CgroupRoots {
  /** cgroup v2, with the controllers that a child may have. */
  readonly unified?: { readonly folder: string; readonly controllers: readonly string[] };
  /** cgroup v1 hierarchies, by controller. */
  readonly legacy: Readonly<Partial<Record<LegacyController, string>>>;
}

export type LegacyController = 'memory' | 'pids' | 'cpu' | 'cpuacct';

const legacyControllers: readonly LegacyController[] = ['memory', 'pids', 'cpu', 'cpuacct'];

/** cgroups(7): `/proc/self/cgroup` says where we are, `/proc/self/mountinfo` where the hierarchies are mounted. */
export function findCgroupRoots(): CgroupRoots {
  const own = readGroups('self');
  const mounts = readMounts();
  const legacy: Partial<Record<LegacyController, string>> = {};
  for (const controller of legacyControllers) {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    const path = own.find(([, names]) => names?.split(',').includes(controller))?.[2];
    const folder = mount && path !== undefined ? toFolder(mount, path) : undefined;
    if (folder && isWritable(folder)) legacy[controller] = folder;
  }
  const unified = findUnified(mounts, own.find(([, names]) => names === '')?.[2]);
  return unified ? { unified, legacy } : { legacy };
}

/** A line of `/proc/PID/cgroup`, split: number of the hierarchy, its controllers, path below its root. */
const readGroups = (pid: number | 'self'): string[][] =>
  readText('/proc', `${pid}/cgroup`)
    .trim()
    .split('\n')
    .map((line) => line.split(':'));

export interface NamedGroups {
  readonly unified?: string;
  readonly legacy: Readonly<Partial<Record<LegacyController | 'blkio', string>>>;
}

/**
 * The groups of a process that are called after `name`, or that lie in one that is: those which an engine made for a container.
 * None of them where the process is another machine's, or where the engine made no groups.
 */
export function findNamedGroups(pid: number, name: string): NamedGroups {
  const mounts = readMounts();
  const legacy: Record<string, string> = {};
  let unified: string | undefined;
  for (const [, controllers = '', path = ''] of readGroups(pid)) {
    const end = path.indexOf('/', path.indexOf(name));
    if (!path.includes(name)) continue;
    const group = end < 0 ? path : path.slice(0, end);
    const names = controllers.split(',');
    const mount = mounts.find(({ type, options }) =>
      controllers === '' ? type === 'cgroup2' : type === 'cgroup' && names.every((one) => options.includes(one)),
    );
    const folder = mount && toFolder(mount, group);
    if (folder && controllers === '') unified = folder;
    else if (folder) for (const one of names) legacy[one] = folder;
  }
  return unified === undefined ? { legacy } : { unified, legacy };
}

/** The processes of a group that has one of these paths, in whatever hierarchy. */
export function findGroupProcesses(paths: readonly string[]): number[] {
  for (const { point } of readMounts()) {
    for (const path of paths) {
      const processes = readText(join(point, path), 'cgroup.procs').split('\n').map(Number);
      if (processes.some((pid) => pid > 0)) return processes.filter((pid) => pid > 0);
    }
  }
  return [];
}

interface CgroupMount {
  readonly type: string;
  readonly point: string;
  readonly root: string;
  readonly options: readonly string[];
}

function readMounts(): CgroupMount[] {
  return readText('/proc', 'self/mountinfo')
    .split('\n')
    .map((line) => line.split(' - ').map((half) => half.split(' ')))
    .filter(([, after]) => after?.[0]?.startsWith('cgroup'))
    .map(([before, after]) => ({
      type: after?.[0] ?? '',
      root: before?.[3] ?? '/',
      point: before?.[4] ?? '',
      options: (after?.[2] ?? '').split(','),
    }));
}

function toFolder(mount: CgroupMount, path: string): string | undefined {
  if (mount.root !== '/' && !path.startsWith(mount.root)) return undefined;
  const folder = join(mount.point, mount.root === '/' ? path : path.slice(mount.root.length));
  return existsSync(folder) ? folder : undefined;
}

/**
 * In cgroup v2 a group with processes cannot give its controllers to children ("no internal processes"), so ours lie beside
 * the group that we are in, where that is ours to write (a delegated unit), or at the top, for root.
 */
function findUnified(mounts: readonly CgroupMount[], ownPath: string | undefined): CgroupRoots['unified'] {
  const mount = mounts.find(({ type }) => type === 'cgroup2');
  if (mount === undefined || ownPath === undefined) return undefined;
  const parent = toFolder(mount, join(ownPath, '..'));
  for (const folder of [parent, mount.point]) {
    if (folder === undefined || !isWritable(folder)) continue;
    for (const name of ['memory', 'pids', 'cpu', 'io']) tryWrite(folder, 'cgroup.subtree_control', `+${name}`);
    const controllers = readText(folder, 'cgroup.subtree_control').trim().split(/\s+/);
    if (controllers.includes('memory') || controllers.includes('pids')) return { folder, controllers };
  }
  return undefined;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
