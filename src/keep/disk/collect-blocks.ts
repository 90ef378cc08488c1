import { rmSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { BlockLocator } from '../../core/ids.ts';
import { isUnused, whileClaimsWait } from './claims.ts';
import { type CollectOptions, type Freed, namesIn, rename } from './collect-entries.ts';
import { blockPath, indexPath, type Layout, ownPath } from './layout.ts';
import { findInWholeFile, readEntry } from './whole-files.ts';

export interface CollectBlocksOptions extends CollectOptions {
  /** Whether nobody needs the block of this md5 for what is kept. */
  readonly isGarbage: (md5: string) => boolean;
  /** Beside the blocks; what a crash leaves there is cleared by the next process. */
  readonly newTemporaryPath: () => string;
}

interface Garbage {
  readonly path: string;
  /** Of a file of several blocks: what says that they lie in it. */
  readonly entries: readonly string[];
}

/** So many renames hold up those who claim for a millisecond or two. */
const filesPerRound = 64;

/** Removes the files of blocks that are garbage and that nobody has used since the cutoff. */
export async function collectBlocks(options: CollectBlocksOptions): Promise<Freed> {
  let [count, bytes] = [0, 0];
  let round: (Garbage & { readonly bytes: number })[] = [];
  const endRound = () => {
    const taken = options.dryRun ? round : takeFiles(round, options);
    count += taken.length;
    bytes += taken.reduce((sum, file) => sum + file.bytes, 0);
    round = [];
  };
  for await (const garbage of listGarbage(options)) {
    if (!isUnused(garbage.path, options.cutoffMs)) continue;
    const { blocks = 0 } = statSync(garbage.path, { throwIfNoEntry: false }) ?? {};
    round.push({ ...garbage, bytes: blocks * 512 });
    if (round.length === filesPerRound) endRound();
  }
  endRound();
  return { count, bytes };
}

/** Those that were taken: not what somebody has claimed, or another gc has taken, meanwhile. */
function takeFiles<T extends Garbage>(
  files: readonly T[],
  { layout, cutoffMs, newTemporaryPath }: CollectBlocksOptions,
): T[] {
  const gone: string[] = [];
  const take = ({ path, entries }: Garbage): boolean => {
    if (!isUnused(path, cutoffMs)) return false;
    // First, and while the file is there: who stores the same content now waits for us, and writes new ones.
    for (const entry of entries) rmSync(entry, { force: true });
    const to = newTemporaryPath();
    if (!rename(path, to)) return false;
    gone.push(to);
    return true;
  };
  const taken = files.length === 0 ? [] : whileClaimsWait(layout.collecting, () => files.filter(take));
  for (const path of gone) unlinkSync(path);
  return taken;
}

async function* listGarbage({ layout, isGarbage }: CollectBlocksOptions): AsyncGenerator<Garbage> {
  for (const folder of namesIn(layout.directory).filter((name) => /^[0-9a-f]{3}$/.test(name))) {
    for (const md5 of namesIn(join(layout.directory, folder)).filter(isGarbage)) {
      yield { path: blockPath(layout, md5), entries: [] };
    }
  }
  const inside = await readIndex(layout);
  for (const id of namesIn(layout.whole)) {
    const blocks = inside.get(id) ?? [];
    if (!blocks.every(isGarbage)) continue;
    yield { path: join(layout.whole, id), entries: blocks.map((md5) => indexPath(layout, md5)) };
  }
}

/** The blocks that are found in each whole file. One with none holds nothing that is not found elsewhere, too. */
async function readIndex(layout: Layout): Promise<Map<string, string[]>> {
  const inside = new Map<string, string[]>();
  for (const folder of namesIn(layout.index)) {
    for (const md5 of namesIn(join(layout.index, folder))) {
      const id = (await readEntry(layout, md5))?.path.slice(-32);
      if (id === undefined) continue;
      inside.set(id, [...(inside.get(id) ?? []), md5]);
    }
  }
  return inside;
}

/** Whether nobody has used the block since the cutoff, or it is not there. */
export async function isBlockUnused(layout: Layout, locator: BlockLocator, cutoffMs: number): Promise<boolean> {
  const own = ownPath(layout, locator);
  const path = statSync(own, { throwIfNoEntry: false }) ? own : (await findInWholeFile(layout, locator))?.path;
  return path === undefined || isUnused(path, cutoffMs);
}
