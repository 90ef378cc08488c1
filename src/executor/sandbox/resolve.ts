import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import { executorError } from '../errors.ts';

export interface ResolvedTarget {
  /** Absolute, inside the root, through no symbolic link: nothing of the image can lead a mount elsewhere. */
  readonly path: string;
  readonly kind: 'missing' | 'directory' | 'file';
  /** Where an existing target lies on this machine. */
  readonly hostPath?: string;
  /** What is left of the target below `path`, where the walk ended because something is mounted there. */
  readonly rest: readonly string[];
}

const maxLinks = 40;

/**
 * Follows `target` through the union of `layers` (topmost first) as a process inside the container would, never leaving
 * it. Opaque folders are not honoured: a hidden entry may be followed, which can only move a mount inside the container.
 */
export function resolveTarget(
  layers: readonly string[],
  target: string,
  isMountPoint: (path: string) => boolean = () => false,
): ResolvedTarget {
  let pending = splitPath(target);
  let resolved = '/';
  let kind: ResolvedTarget['kind'] = 'directory';
  let links = 0;
  let hostPath: string | undefined;
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
    if (name === '..') {
      resolved = posix.dirname(resolved);
      kind = 'directory';
      continue;
    }
    const path = posix.join(resolved, name);
    if (isMountPoint(path)) return { path, kind: 'directory', rest };
    const found: Found | undefined = kind === 'directory' ? lookUp(layers, path) : undefined;
    if (found?.stats.isSymbolicLink()) {
      links += 1;
      if (links > maxLinks) throw notMountable(target, 'too many symbolic links');
      const link = readlinkSync(found.path);
      if (link.startsWith('/')) resolved = '/';
      pending = [...splitPath(link), ...pending];
      continue;
    }
    if (kind === 'file') throw notMountable(target, `"${resolved}" is not a directory`);
    resolved = path;
    hostPath = found?.path;
    kind = found === undefined ? 'missing' : found.stats.isDirectory() ? 'directory' : 'file';
  }
  return { path: resolved, kind, rest: [], ...(hostPath === undefined ? {} : { hostPath }) };
}

const splitPath = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

const notMountable = (target: string, reason: string) =>
  executorError('executor/start-failed', `"${target}" cannot be mounted in the image: ${reason}`, {
    hint: 'choose another path for this input or output',
  });

export interface Found {
  readonly path: string;
  readonly stats: Stats;
}

/** What the union of `layers` has at `path`, which is free of links. */
export function lookUp(layers: readonly string[], path: string): Found | undefined {
  for (const layer of layers) {
    const full = join(layer, path);
    const stats = statOf(full);
    if (stats === 'hidden') return undefined;
    if (stats) return { path: full, stats };
  }
  return undefined;
}

/** `hidden` where this layer says that lower ones do not count: a whiteout, or a parent that is no directory here. */
function statOf(path: string): Stats | 'hidden' | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isCharacterDevice() && stats.rdev === 0 ? 'hidden' : stats;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return 'hidden';
    throw executorError('executor/start-failed', `the image cannot be searched for "${path}": ${code}`, {
      hint: 'choose another path for this input or output',
      cause: error,
    });
  }
}
