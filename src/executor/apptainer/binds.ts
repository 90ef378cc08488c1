import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { BindMount, ContainerSpec } from '../port.ts';
import { placeInSource } from '../sandbox/mounts.ts';
import { hiddenProc, readOnlyProc } from '../sandbox/system-mounts.ts';

/** What every container of apptainer shows of this machine, beside what it is asked for: as docker does, and nothing else. */
function systemBinds(): BindMount[] {
  const readOnly = (path: string): BindMount => ({ source: path, target: path, readOnly: true });
  const hidden = (path: string): BindMount => ({ source: '/dev/null', target: path, readOnly: true });
  // Files that belong to root can be written by root even without any capability.
  const guards = isRoot()
    ? [readOnly('/sys'), ...onProc(readOnlyProc).map(readOnly), ...onProc(hiddenProc).map(hidden)]
    : [];
  return [...guards, ...['/etc/hosts'].filter((path) => existsSync(path)).map(readOnly)];
}

export const isRoot = (): boolean => process.getuid?.() === 0;

const onProc = (names: readonly string[]): string[] =>
  names.map((name) => `/proc/${name}`).filter((path) => existsSync(path));

/** Apptainer's own are in memory and small. */
const temporaryFolders = ['/tmp', '/var/tmp'];

/**
 * The mounts of one container, parents first, with their mount points in each other's sources. Fresh folders are folders of
 * its scratch space.
 */
export async function planBinds(spec: ContainerSpec): Promise<BindMount[]> {
  const asked = new Set([...spec.binds, ...spec.tmpfs].map(({ target }) => posix.normalize(target)));
  const fresh = [...spec.tmpfs.map(({ target }) => target), ...temporaryFolders.filter((path) => !asked.has(path))];
  const folders: BindMount[] = [];
  for (const [index, target] of fresh.entries()) {
    const source = join(spec.scratchDir, `fresh-${index}`);
    await mkdir(source);
    await chmod(source, 0o1777);
    folders.push({ source, target, readOnly: false });
  }
  const planned: BindMount[] = [];
  for (const bind of [...spec.binds, ...folders].sort((a, b) => depth(a) - depth(b))) {
    planned.push({ ...bind, target: placeTarget(planned, bind) });
  }
  return [...systemBinds(), ...planned];
}

const depth = ({ target }: BindMount): number => posix.normalize(target).split('/').length;

/** Where a mount comes to lie: inside an earlier one there has to be a place for it. */
function placeTarget(planned: readonly BindMount[], bind: BindMount): string {
  const target = posix.normalize(bind.target);
  const around = planned.findLast((other) => target.startsWith(`${other.target}/`));
  if (around === undefined || !statSync(around.source).isDirectory()) return target;
  const kind = statSync(bind.source).isDirectory() ? 'directory' : 'file';
  return join(around.target, placeInSource(around, target.slice(around.target.length + 1), kind));
}

/** RFC 4180: the `--mount` option is one record. */
export function toMountOption({ source, target, readOnly }: BindMount): string {
  const fields = ['type=bind', `source=${source}`, `destination=${target}`, ...(readOnly ? ['ro'] : [])];
  return fields.map((field) => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
