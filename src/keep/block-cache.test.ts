import { describe, expect, it } from 'vitest';
import type { BlockLocator } from '../core/ids.ts';
import { cacheBlocks } from './block-cache.ts';
import { createMemoryBlockStore } from './memory-store.ts';

/** A store that notes what is read from it. */
function createCountingStore() {
  const store = createMemoryBlockStore();
  const reads: BlockLocator[] = [];
  return {
    reads,
    store: {
      ...store,
      read: (locator: BlockLocator) => {
        reads.push(locator);
        return store.read(locator);
      },
    },
  };
}

describe('the cache of blocks', () => {
  it('reads a block once while it is among the last few', async () => {
    const { store, reads } = createCountingStore();
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((text) => store.write(Buffer.from(text))));
    if (!a || !b || !c) throw new Error('no blocks');
    const cached = cacheBlocks(store, 2);
    for (const locator of [a, a, b, a, c, a, b]) {
      expect(Buffer.from(await cached.read(locator)).length).toBe(1);
    }
    expect(reads).toEqual([a, b, c, b]);
  });

  it('shares one transfer among readers at once, and forgets one that failed', async () => {
    const { store, reads } = createCountingStore();
    const cached = cacheBlocks(store);
    const locator = 'c4ca4238a0b923820dcc509a6f75849b+1' as BlockLocator;
    const missing = [cached.read(locator), cached.read(locator)];
    for (const read of missing) await expect(read).rejects.toMatchObject({ code: 'keep/block-missing' });
    expect(reads).toHaveLength(1);
    await cached.write(Buffer.from('1'));
    expect(Buffer.from(await cached.read(locator)).toString()).toBe('1');
    await expect(cached.read(locator, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  });
});
