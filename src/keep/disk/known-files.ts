import type { BigIntStats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockLocator, isBlockLocator } from '../../core/ids.ts';
import { unlessGoneLater } from '../block-errors.ts';
import type { Layout } from './layout.ts';
import type { Place } from './place.ts';

/** Smaller files are hashed faster than looked up. */
const minKnownBytes = 1024 * 1024;
/** A file changed again within one tick of the file system's clock looks unchanged; 2 s is the coarsest tick in use. */
const settledNs = 2_000_000_000n;

/** What the user's own files held when they were last read, so that an unchanged one is not read again. */
export interface KnownFiles {
  find(stats: BigIntStats): Promise<readonly BlockLocator[] | undefined>;
  /** `readAtNs`: when reading began. A file that had changed shortly before is not remembered. */
  remember(stats: BigIntStats, locators: readonly BlockLocator[], readAtNs: bigint): Promise<void>;
}

/** Kept under `known/`: what cannot be read there is only forgotten. */
export function createKnownFiles(layout: Layout, place: Place): KnownFiles {
  const pathOf = (stats: BigIntStats) => join(layout.known, `${stats.dev}-${stats.ino}`);
  return {
    find: async (stats) => {
      if (stats.size < minKnownBytes) return undefined;
      const [state, ...locators] = (await readOrEmpty(pathOf(stats))).trim().split(' ');
      return state === toState(stats) && locators.every(isBlockLocator) ? locators : undefined;
    },
    remember: async (stats, locators, readAtNs) => {
      const settled = stats.mtimeNs + settledNs <= readAtNs && stats.ctimeNs + settledNs <= readAtNs;
      if (stats.size < minKnownBytes || !settled) return;
      await place.writeFile(pathOf(stats), Buffer.from(`${toState(stats)} ${locators.join(' ')}\n`));
    },
  };
}

const toState = (stats: BigIntStats) => `${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;

const readOrEmpty = async (path: string): Promise<string> =>
  (await unlessGoneLater(() => readFile(path, 'latin1'))) ?? '';
