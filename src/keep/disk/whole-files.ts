import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockLocator } from '../../core/ids.ts';
import { unlessGoneLater } from '../block-errors.ts';
import { blockMd5, blockSizeBytes } from '../locator.ts';
import { indexPath, type Layout } from './layout.ts';
import { sizeOfFile } from './place.ts';

/** Where a block lies inside a whole file. */
export interface BlockPlace {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** The place of a block that has no file of its own; undefined when no whole file holds it. */
export async function findInWholeFile(layout: Layout, locator: BlockLocator): Promise<BlockPlace | undefined> {
  const entry = await readEntry(layout, blockMd5(locator));
  if (entry === undefined || entry.length !== blockSizeBytes(locator)) return undefined;
  return unlessGoneLater(async () => {
    await stat(entry.path);
    return entry;
  });
}

export async function readEntry(layout: Layout, md5: string): Promise<BlockPlace | undefined> {
  const path = indexPath(layout, md5);
  // Nearly every block has no entry: to learn that takes a twentieth of the time without the thread pool.
  if (sizeOfFile(path) === undefined) return undefined;
  const text = await unlessGoneLater(() => readFile(path, 'latin1'));
  const match = /^([0-9a-f]{32}) (\d+) (\d+)\n$/.exec(text ?? '');
  if (match?.[1] === undefined) return undefined;
  return { path: join(layout.whole, match[1]), offset: Number(match[2]), length: Number(match[3]) };
}
