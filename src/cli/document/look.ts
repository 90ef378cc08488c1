import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { nearest } from '../../core/nearest.ts';
import type { Found } from '../../cwl/input/check-files.ts';
import { toHostPath } from '../../run/host-files.ts';

/** What lies at a `file:` location of this machine; undefined where it does not let itself be asked: reading it will say why. */
export function look(location: string): Found | undefined {
  const path = toHostPath(location);
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (stats?.isFile()) return { kind: 'File' };
  if (stats?.isDirectory()) return { kind: 'Directory' };
  if (stats) return { kind: 'other' };
  const near = nearest(basename(path), namesIn(dirname(path)));
  return { kind: 'none', ...(near !== undefined && { near }) };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
