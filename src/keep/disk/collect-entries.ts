import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../block-errors.ts';
import { removeTree } from '../remove-tree.ts';
import { isUnused, whileClaimsWait } from './claims.ts';
import type { Layout } from './layout.ts';

/** What was, or would be, given back. */
export interface Freed {
  readonly count: number;
  readonly bytes: number;
}

export interface CollectOptions {
  readonly layout: Layout;
  /** What was used before this goes. */
  readonly cutoffMs: number;
  /** Only counts. */
  readonly dryRun: boolean;
}

/** The name of what is on its way out: nobody looks for it, and any later round removes it. */
const gonePrefix = '.gone-';

/**
 * Removes the entries of `folder` that nobody has used since the cutoff. Each is renamed first, so that nobody ever finds a half of one;
 * what a crash leaves of that goes the next time.
 */
export async function collectEntries(
  folder: string,
  { layout, cutoffMs, dryRun }: CollectOptions,
  remove: (path: string) => Promise<void> = removeTree,
): Promise<Freed> {
  let [count, bytes] = [0, 0];
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const isGone = name.startsWith(gonePrefix);
    if (!isGone && (name.startsWith('.') || !isUnused(path, cutoffMs))) continue;
    const size = bytesOf(path);
    if (!dryRun) {
      const gone = isGone ? path : join(folder, gonePrefix + randomBytes(6).toString('hex'));
      const take = () => isUnused(path, cutoffMs) && rename(path, gone);
      if (!isGone && !whileClaimsWait(layout.collecting, take)) continue;
      await remove(gone);
    }
    count += 1;
    bytes += size;
  }
  return { count, bytes };
}

/** False when another process was faster. */
export function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Of the disk, as far as this user may look. A file that lies elsewhere, too, gives nothing back. */
export function bytesOf(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  const own = stats.isDirectory() || stats.nlink === 1 ? stats.blocks * 512 : 0;
  if (!stats.isDirectory()) return own;
  return namesIn(path).reduce((sum, name) => sum + bytesOf(join(path, name)), own);
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(errorCode(error) ?? '')) return [];
    throw error;
  }
}
