import type { Claim } from '../../core/claim.ts';
import type { Clock } from '../../core/clock.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { tooLargeError } from '../block-errors.ts';
import { blockMd5, blockSizeBytes, emptyBlockLocator, stripHints, toLocator } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import type { KnownFiles } from './known-files.ts';
import { indexPath, type Layout, ownPath, wholePath } from './layout.ts';
import { type Place, sizeOfFile } from './place.ts';
import { readBlock } from './read-block.ts';
import { findInWholeFile } from './whole-files.ts';

/** What the operations of a disk store work on. */
export interface Parts {
  readonly layout: Layout;
  readonly place: Place;
  readonly known: KnownFiles;
  readonly clock: Clock;
  readonly claim: Claim;
}

type Looking = Pick<Parts, 'layout' | 'claim'>;

/** As `BlockStore.read`. */
export async function readStored(
  { layout }: Pick<Parts, 'layout'>,
  locator: BlockLocator,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  return isEmptyBlock(locator) ? new Uint8Array(0) : readBlock(layout, locator, signal);
}

/** As `BlockStore.write`. A block that is there already is not written again. */
export async function writeBlock(store: Parts, data: Uint8Array): Promise<BlockLocator> {
  if (data.length > maxBlockBytes) throw tooLargeError(data.length);
  const locator = toLocator(data);
  if (!(await hasBlock(store, locator))) await store.place.writeFile(ownPath(store.layout, locator), data);
  return locator;
}

/** As `BlockStore.has`: by name and size alone, its bytes are not read. Who asks may put it into a collection: it is claimed. */
export async function hasBlock({ layout, claim }: Looking, locator: BlockLocator): Promise<boolean> {
  if (isEmptyBlock(locator)) return true;
  const own = ownPath(layout, locator);
  if (sizeOfFile(own) === blockSizeBytes(locator) && (await claim(own))) return true;
  const whole = await findInWholeFile(layout, locator);
  return whole !== undefined && claim(whole.path);
}

const isEmptyBlock = (locator: BlockLocator) => stripHints(locator) === emptyBlockLocator;

/** As `LocalBlockStore.wholeFile`. */
export async function wholeFile(
  { layout, claim }: Looking,
  locators: readonly BlockLocator[],
): Promise<string | undefined> {
  if (locators.length === 0) return undefined;
  const sizeBytes = totalBytes(locators);
  const path = placeOf(layout, locators);
  return sizeOfFile(path) === sizeBytes && (await claim(path)) ? path : undefined;
}

/** Where a file of exactly these blocks lies, if there is one. */
export function placeOf(layout: Layout, locators: readonly BlockLocator[]): string {
  const [only] = locators;
  return locators.length === 1 && only ? ownPath(layout, only) : wholePath(layout, locators);
}

export function totalBytes(locators: readonly BlockLocator[]): number {
  return locators.reduce((sum, locator) => sum + blockSizeBytes(locator), 0);
}

/** As `DiskBlockStore.exportBlocks`. */
export async function exportBlocks({ layout, place }: Parts, locators: readonly BlockLocator[]): Promise<void> {
  for (const locator of locators) {
    const own = ownPath(layout, locator);
    if (sizeOfFile(own) === blockSizeBytes(locator)) continue;
    await place.writeFile(own, await readBlock(layout, locator));
  }
}

/** Makes every block of a whole file found by its own name. Idempotent; a crash leaves some of the entries. */
export async function indexWholeFile(store: Parts, locators: readonly BlockLocator[]): Promise<void> {
  const { layout, place } = store;
  const id = wholePath(layout, locators).slice(-32);
  let offset = 0;
  for (const locator of locators) {
    const length = blockSizeBytes(locator);
    if (!(await hasBlock(store, locator))) {
      await place.writeFile(indexPath(layout, blockMd5(locator)), Buffer.from(`${id} ${offset} ${length}\n`));
    }
    offset += length;
  }
}
