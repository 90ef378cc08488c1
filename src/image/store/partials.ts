import { randomBytes } from 'node:crypto';
import { readdir, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { processStart } from '../../core/process-start.ts';

/**
 * Files under way, named `<hex>.<owner>-<random>`. One whose owner has died, or which was let go (`<hex>.free-<random>`), is taken
 * over by renaming it, which one claimant alone can do.
 */
export async function claimPartial(dir: string, hex: string): Promise<string> {
  const own = join(dir, `${hex}.${ownerOf(process.pid)}-${randomBytes(4).toString('hex')}`);
  for (const name of await readdir(dir)) {
    if (!name.startsWith(`${hex}.`) || isOwned(name.slice(hex.length + 1))) continue;
    const isMine = await rename(join(dir, name), own).then(
      () => true,
      () => false,
    );
    if (!isMine) continue;
    // Used from now on, for whoever clears what is not.
    const now = new Date();
    await utimes(own, now, now);
    break;
  }
  return own;
}

/** Leaves the partial file for whoever wants the blob next. */
export async function releasePartial(path: string): Promise<void> {
  const free = path.replace(/\.[^./]*$/, `.free-${randomBytes(4).toString('hex')}`);
  await rename(path, free).catch(() => {});
}

function isOwned(suffix: string): boolean {
  const [pid = '', start] = suffix.split('-');
  return pid !== 'free' && ownerOf(Number(pid)) === `${pid}-${start}`;
}

/** A process by number and start time, so that a number used again is no owner. */
function ownerOf(pid: number): string | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : `${pid}-${start}`;
}
