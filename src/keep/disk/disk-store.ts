import { mkdir } from 'node:fs/promises';
import type { Claim } from '../../core/claim.ts';
import type { Clock } from '../../core/clock.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { toStoreError } from '../block-errors.ts';
import type { LocalBlockStore } from '../port.ts';
import { exportBlocks, hasBlock, type Parts, readStored, wholeFile, writeBlock } from './blocks.ts';
import { createClaim } from './claims.ts';
import { adoptFile, storeFile } from './host-files.ts';
import { createKnownFiles } from './known-files.ts';
import { toLayout } from './layout.ts';
import { createPlace } from './place.ts';
import { openTemporaryFolder } from './temporary.ts';

export interface DiskBlockStoreOptions {
  readonly clock: Clock;
  /**
   * Force every file to the disk before it is acknowledged, so that it survives a loss of power too. Default false: it
   * survives the end of any process, and what a power cut tore is found by its checksum and named.
   */
  readonly fsync?: boolean;
}

/** Blocks in a directory laid out as keepstore's `Directory` volume. */
export interface DiskBlockStore extends LocalBlockStore {
  readonly directory: string;
  /** Of what lies in a folder beside the store's, too: whoever opens the store is known to those who clear what is unused. */
  readonly claim: Claim;
  /** A path on the same file system that nothing uses; the next process clears what a dead one leaves there. */
  newTemporaryPath(): string;
  /** Gives each block a file of its own, as keepstore expects, also where a whole file holds it already. */
  exportBlocks(locators: readonly BlockLocator[]): Promise<void>;
}

/**
 * Opens the store, made where there is none, and clears what dead processes left. Several processes may have it open. Fails with
 * `keep/store-failed` or `keep/no-space`.
 */
export async function openDiskBlockStore(directory: string, options: DiskBlockStoreOptions): Promise<DiskBlockStore> {
  const layout = toLayout(directory);
  const temporary = await named('open the block store', directory, async () => {
    await mkdir(directory, { recursive: true });
    return openTemporaryFolder(layout.tmp);
  });
  const place = createPlace(temporary, { fsync: options.fsync ?? false });
  const known = createKnownFiles(layout, place);
  const claim = createClaim(layout.collecting);
  const store: Parts = { layout, place, known, claim, clock: options.clock };
  return {
    directory,
    claim,
    newTemporaryPath: temporary.newPath,
    read: (locator, signal) => named('read a block', directory, () => readStored(store, locator, signal)),
    write: (data) => named('write a block', directory, () => writeBlock(store, data)),
    has: (locator) => named('look for a block', directory, () => hasBlock(store, locator)),
    adoptFile: (path, signal) => named('store a file', path, () => adoptFile(store, path, signal)),
    storeFile: (path, signal) => named('store a file', path, () => storeFile(store, path, signal)),
    wholeFile: (locators) => named('look for a file', directory, () => wholeFile(store, locators)),
    exportBlocks: (locators) => named('write a block', directory, () => exportBlocks(store, locators)),
  };
}

async function named<T>(doing: string, path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw toStoreError(error, doing, path);
  }
}
