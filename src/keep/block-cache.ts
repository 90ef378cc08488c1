import type { BlockLocator } from '../core/ids.ts';
import { blockMd5 } from './locator.ts';
import type { BlockStore } from './port.ts';

/**
 * Remembers the last few blocks read, for readers of many files that share blocks. Readers of one block at once share one
 * transfer, which none of them can cancel alone.
 */
export function cacheBlocks(store: BlockStore, maxBlocks = 3): BlockStore {
  const blocks = new Map<string, Promise<Uint8Array>>();
  const read = (locator: BlockLocator): Promise<Uint8Array> => {
    const key = blockMd5(locator);
    const block = blocks.get(key) ?? store.read(locator);
    blocks.delete(key);
    blocks.set(key, block);
    block.catch(() => {
      if (blocks.get(key) === block) blocks.delete(key);
    });
    const [oldest] = blocks.keys();
    if (blocks.size > maxBlocks && oldest !== undefined) blocks.delete(oldest);
    return block;
  };
  return {
    read: async (locator, signal) => {
      signal?.throwIfAborted();
      return read(locator);
    },
    write: (data) => store.write(data),
    has: (locator) => store.has(locator),
  };
}
