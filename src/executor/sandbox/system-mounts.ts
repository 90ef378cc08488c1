import { statSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ownedName } from '../process/owned.ts';
import type { Mount } from './mount.ts';

const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/**
 * proc(5) files through which a root whose ids are the machine's own could change the machine, or read of others. Docker
 * makes the first read-only and hides the second.
 */
export const readOnlyProc = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];
export const hiddenProc = ['kcore', 'keys', 'latency_stats', 'timer_list', 'sched_debug'];

/** Of a container without a network: always the same, so that no result depends on the machine's. */
export const isolatedHostName = 'hallmark';

const networkFiles = ['/etc/resolv.conf', '/etc/hosts'];

/** What every container has, whatever its image; the mount points are in the skeleton. */
export function systemMounts(root: string, network: boolean): Mount[] {
  const proc = `${root}/proc`;
  const bind = (source: string, target: string, ...how: string[]): Mount => ({
    ...{ source, target, type: 'none' },
    options: ['bind', ...how],
  });
  const fresh = (type: string, target: string, ...options: string[]): Mount => ({
    source: type,
    target,
    type,
    options,
  });
  const files = network ? networkFiles.filter(exists) : [];
  return [
    fresh('proc', proc, 'nosuid', 'nodev', 'noexec'),
    ...present(readOnlyProc).map((name) =>
      bind(`${proc}/${name}`, `${proc}/${name}`, 'ro', 'nosuid', 'nodev', 'noexec'),
    ),
    ...present(hiddenProc).map((name) => bind('/dev/null', `${proc}/${name}`)),
    ...devices.map((name) => bind(`/dev/${name}`, `${root}/dev/${name}`)),
    fresh('devpts', `${root}/dev/pts`, 'newinstance', 'ptmxmode=0666', 'mode=620', 'nosuid', 'noexec'),
    { source: 'shm', target: `${root}/dev/shm`, type: 'tmpfs', options: ['mode=1777', 'nosuid', 'nodev'] },
    ...files.map((file) => bind(file, root + file, 'ro', 'nosuid', 'nodev')),
  ];
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

const presence = new Map<string, boolean>();

const present = (names: readonly string[]): string[] =>
  names.filter((name) => {
    const known = presence.get(name) ?? exists(`/proc/${name}`);
    presence.set(name, known);
    return known;
  });

/**
 * The topmost read-only layer of every container: mount points for the system's own mounts. Since it is no part of what the
 * container writes, they never show in what a build step changed, and no image can put something else in their place.
 */
export async function makeSkeleton(folder: string): Promise<void> {
  if (exists(folder)) return;
  const partial = join(dirname(folder), ownedName());
  for (const name of ['dev/pts', 'dev/shm', 'proc', 'etc']) await mkdir(join(partial, name), { recursive: true });
  for (const name of devices) await writeFile(join(partial, 'dev', name), '');
  const links = { fd: '/proc/self/fd', stdin: 'fd/0', stdout: 'fd/1', stderr: 'fd/2', ptmx: 'pts/ptmx' };
  for (const [name, target] of Object.entries(links)) await symlink(target, join(partial, 'dev', name));
  await writeFile(join(partial, 'etc/resolv.conf'), '');
  await writeFile(
    join(partial, 'etc/hosts'),
    `127.0.0.1\tlocalhost ${isolatedHostName}\n::1\tlocalhost ${isolatedHostName}\n`,
  );
  await rename(partial, folder).catch(async () => rm(partial, { recursive: true, force: true }));
}
