import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BlockLocator } from '../../src/core/ids.ts';
import { emptyBlockLocator, toLocator } from '../../src/keep/locator.ts';
import { type BlockStore, maxBlockBytes } from '../../src/keep/port.ts';

/** What every block store does. `open` gives an empty store. */
export function describeBlockStore(name: string, open: () => Promise<BlockStore>): void {
  describe(`${name}: the contract of a block store`, () => {
    it('gives back what was written, under the md5 and size of the bytes', async () => {
      const store = await open();
      const locator = await store.write(Buffer.from('hello\n'));
      expect(locator).toBe('b1946ac92492d2347c6235b4d2611184+6');
      expect(Buffer.from(await store.read(locator)).toString()).toBe('hello\n');
    });

    it('knows what it holds and what it does not', async () => {
      const store = await open();
      const locator = await store.write(Buffer.from('a'));
      expect(await store.has(locator)).toBe(true);
      expect(await store.has(toLocator(Buffer.from('b')))).toBe(false);
      expect(await store.has(`${locator.slice(0, 32)}+2` as BlockLocator)).toBe(false);
    });

    it('takes signatures and other hints for what they are', async () => {
      const store = await open();
      const locator = await store.write(Buffer.from('signed'));
      const signed = `${locator}+K@zzzzz+A1f27a35dd9af37191d63ad8eb8985624451e7b79@5835c8bc` as BlockLocator;
      expect(await store.has(signed)).toBe(true);
      expect(Buffer.from(await store.read(signed)).toString()).toBe('signed');
    });

    it('holds the empty block from the start', async () => {
      const store = await open();
      expect(await store.has(emptyBlockLocator)).toBe(true);
      expect(await store.read(emptyBlockLocator)).toHaveLength(0);
      expect(await store.write(new Uint8Array(0))).toBe(emptyBlockLocator);
    });

    it('is idempotent and takes writers of one block at once', async () => {
      const store = await open();
      const data = randomBytes(100_000);
      const locators = await Promise.all(Array.from({ length: 8 }, () => store.write(data)));
      expect(new Set(locators)).toEqual(new Set([toLocator(data)]));
      expect(Buffer.from(await store.read(toLocator(data))).equals(data)).toBe(true);
    });

    it('keeps its own copy of the bytes', async () => {
      const store = await open();
      const data = Buffer.from('before');
      const locator = await store.write(data);
      data.write('after!');
      expect(Buffer.from(await store.read(locator)).toString()).toBe('before');
    });

    it('names the block that it does not hold', async () => {
      const store = await open();
      const locator = toLocator(Buffer.from('nowhere'));
      await expect(store.read(locator)).rejects.toMatchObject({
        code: 'keep/block-missing',
        message: `the store does not hold block ${locator}`,
      });
    });

    it('does not give a block for a locator that lies about its size', async () => {
      const store = await open();
      const locator = await store.write(Buffer.from('true size'));
      const lie = `${locator.slice(0, 32)}+4` as BlockLocator;
      await expect(store.read(lie)).rejects.toMatchObject({ code: 'keep/block-missing' });
      expect(Buffer.from(await store.read(locator)).toString()).toBe('true size');
    });

    it('holds a block of 64 MiB and refuses a larger one', async () => {
      const store = await open();
      const data = Buffer.alloc(maxBlockBytes, 7);
      const locator = await store.write(data);
      expect((await store.read(locator)).length).toBe(maxBlockBytes);
      await expect(store.write(Buffer.alloc(maxBlockBytes + 1))).rejects.toMatchObject({
        code: 'keep/block-too-large',
        message: 'expected a block of at most 67108864 bytes, got 67108865',
      });
    });

    it('does not read for one who has given up', async () => {
      const store = await open();
      const locator = await store.write(Buffer.from('x'));
      await expect(store.read(locator, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    });
  });
}
