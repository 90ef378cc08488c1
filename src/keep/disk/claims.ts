import { mkdirSync, readdirSync, rmdirSync, rmSync, type Stats, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Claim } from '../../core/claim.ts';
import { errorCode, unlessGone } from '../block-errors.ts';
import { isWriterDead, writerName, writerSinceMs } from './writers.ts';

/**
 * How those who use things of a store and those who take what is unused keep out of each other's way. Who uses a thing marks it as
 * used, then looks whether somebody is taking; who takes says so, then looks whether the thing is used. One of them sees the other.
 *
 * A claim is a time of the thing itself: of a file when it was last read, since its other time is the tool's to see; of a directory when
 * it was last changed in any way, which only our own touching does, and no look into it.
 */
const lastUsedMs = (stats: Stats): number => (stats.isDirectory() ? stats.ctimeMs : stats.atimeMs);

const waitMs = 5;
/** One round of taking lasts milliseconds; who is this late in another PID namespace is gone. */
const foreignTakerTtlMs = 60_000;

export function createClaim(collecting: string): Claim {
  return async (path) => {
    if (!touch(path)) return false;
    while (await isCollecting(collecting)) await sleep(waitMs);
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  };
}

function touch(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (lastUsedMs(stats) >= writerSinceMs) return true;
  const now = Date.now() / 1000;
  try {
    utimesSync(path, now, stats.isDirectory() ? now : stats.mtimeMs / 1000);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    // Another user's: whoever takes things takes only what claims can be made on.
    if (!['EPERM', 'EACCES', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
  }
  return true;
}

async function isCollecting(collecting: string): Promise<boolean> {
  if (statSync(collecting, { throwIfNoEntry: false }) === undefined) return false;
  for (const name of unlessGone(() => readdirSync(collecting)) ?? []) {
    if (!(await isWriterDead(collecting, name, foreignTakerTtlMs))) return true;
    rmSync(join(collecting, name), { force: true });
  }
  return false;
}

/** One round of taking: claims wait until `take` returns, which therefore only looks and renames. A crash ends it. */
export function whileClaimsWait<T>(collecting: string, take: () => T): T {
  const marker = join(collecting, writerName());
  const mark = () => {
    mkdirSync(collecting, { recursive: true });
    writeFileSync(marker, '');
    return true;
  };
  while (!unlessGone(mark)); // Another round may have removed the folder before we were in it.
  try {
    return take();
  } finally {
    rmSync(marker, { force: true });
    removeIfEmpty(collecting);
  }
}

/** Claims take less time when it is not there. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another round is in it.
  }
}

/** A new file gets its time from the kernel, or a server, whose clock may be this far behind ours. */
const clockSlackMs = 2_000;

/** The time that a thing must have been used before, to be unused for so long, and by every process that lives. */
export const unusedBefore = (nowMs: number, unusedForMs: number, livingSinceMs: readonly number[]): number =>
  Math.min(nowMs - unusedForMs, ...livingSinceMs) - clockSlackMs;

/** Whether nobody has claimed it since, and claims can be made on it by this user. */
export function isUnused(path: string, cutoffMs: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  const uid = process.getuid?.() ?? 0;
  return stats !== undefined && lastUsedMs(stats) < cutoffMs && (uid === 0 || stats.uid === uid);
}
