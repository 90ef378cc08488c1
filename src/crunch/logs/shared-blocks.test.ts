import { describe, expect, it } from 'vitest';
import type { BlockLocator } from '../../core/ids.ts';
import { createMemoryBlockStore } from '../../keep/memory-store.ts';
import { createSharedBlocks } from './shared-blocks.ts';

const texts = ['first', 'second', '', 'fourth'];
const toBytes = (text: string) => Buffer.from(text);

/** With the size of each block that is written. */
function createMeasured() {
  const sizes: number[] = [];
  const store = createMemoryBlockStore();
  const write = (data: Uint8Array) => {
    sizes.push(data.length);
    return store.write(data);
  };
  return { shared: createSharedBlocks({ write }), sizes };
}

describe('blocks that logs share', () => {
  it('hold what comes while one waits, and each finds its own part', async () => {
    const store = createMemoryBlockStore();
    const shared = createSharedBlocks(store);
    for (const _ of [...texts, 'one that is still to come']) shared.enter();
    const parts = await Promise.all(texts.map((text) => shared.write(toBytes(text))));
    expect(new Set(parts.map(({ locator }) => locator)).size).toBe(2);
    for (const [index, { locator, offset }] of parts.entries()) {
      const text = texts[index] ?? '';
      const bytes = await store.read(locator);
      expect(Buffer.from(bytes.subarray(offset, offset + text.length)).toString()).toBe(text);
    }
  });

  it('do not wait once nobody is to come', async () => {
    const { shared, sizes } = createMeasured();
    await shared.write(toBytes('alone'));
    await shared.write(toBytes('alone again'));
    const leave = ['a', 'b', 'c'].map(() => shared.enter());
    const [a, b] = ['a', 'b'].map((text) => shared.write(toBytes(text)));
    expect(sizes).toEqual([5, 11]);
    leave[2]?.();
    expect(sizes).toEqual([5, 11, 2]);
    await Promise.all([a, b]);
  });

  it('hold a few at most', async () => {
    const { shared, sizes } = createMeasured();
    for (let writer = 0; writer < 50; writer += 1) shared.enter();
    await Promise.all(Array.from({ length: 36 }, () => shared.write(toBytes('x'))));
    expect(sizes).toEqual([1, 16, 16, 3]);
  });

  it('fail all that they would have held, and nobody else', async () => {
    const store = createMemoryBlockStore();
    let failures = 0;
    const write = async (data: Uint8Array): Promise<BlockLocator> => {
      if (data.length !== 2) return store.write(data);
      failures += 1;
      throw new Error('the disk is full');
    };
    const shared = createSharedBlocks({ write });
    for (const _ of ['a', 'b', 'c']) shared.enter();
    const first = await shared.write(toBytes('one'));
    const ends = await Promise.allSettled(['a', 'b'].map((text) => shared.write(toBytes(text))));
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(failures).toBe(1);
    const next = await shared.write(toBytes('three'));
    expect([first.offset, next.offset]).toEqual([0, 0]);
  });
});
