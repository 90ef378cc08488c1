import type { BlockLocator } from '../core/ids.ts';
import { missingError, tooLargeError } from './block-errors.ts';
import { blockMd5, blockSizeBytes, emptyBlockLocator, toLocator } from './locator.ts';
import { type BlockStore, maxBlockBytes } from './port.ts';

/** Blocks in memory: for tests, and for collections that are only hashed. */
export function createMemoryBlockStore(): BlockStore {
  const blocks = new Map<string, Uint8Array>([[blockMd5(emptyBlockLocator), new Uint8Array(0)]]);
  const find = (locator: BlockLocator) => {
    const block = blocks.get(blockMd5(locator));
    return block?.length === blockSizeBytes(locator) ? block : undefined;
  };
  return {
    read: async (locator, signal) => {
      signal?.throwIfAborted();
      const block = find(locator);
      if (block) return block;
      throw missingError(locator);
    },
    write: async (data) => {
      if (data.length > maxBlockBytes) throw tooLargeError(data.length);
      const locator = toLocator(data);
      if (!find(locator)) blocks.set(blockMd5(locator), new Uint8Array(data));
      return locator;
    },
    has: async (locator) => find(locator) !== undefined,
  };
}
