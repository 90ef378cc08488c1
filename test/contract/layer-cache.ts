import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { LayerCache } from '../../src/image/build/port.ts';
import { digestOf } from '../../src/image/streams.ts';
import { file, toLayer } from './layers.ts';

const keyOf = (text: string) => digestOf(Buffer.from(text));
const tarOf = async (text: string) =>
  gunzipSync(Buffer.concat(await Array.fromAsync(await (await toLayer([file('f', text)])).open())));
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The contract of `LayerCache` in src/image/build/port.ts. `reopen` gives the cache as the next process sees it. */
export function describeLayerCache(
  name: string,
  open: () => Promise<{ cache: LayerCache; reopen: () => LayerCache }>,
): void {
  describe(`layer cache: ${name}`, () => {
    it('has nothing under a key that nobody put', async () => {
      const { cache } = await open();
      expect(await cache.get(keyOf('a'))).toBeUndefined();
    });

    it('gives back what was put, named by both of its digests', async () => {
      const { cache, reopen } = await open();
      const tar = await tarOf('x'.repeat(100_000));
      const put = await cache.put(keyOf('a'), Readable.from([tar.subarray(0, 700), tar.subarray(700)]));
      const got = await reopen().get(keyOf('a'));
      const packed = Buffer.concat(await Array.fromAsync((await got?.open()) ?? []));
      expect(gunzipSync(packed).equals(tar)).toBe(true);
      expect(got?.diffId).toBe(sha256(tar));
      expect(got?.descriptor).toEqual({ ...put.descriptor, digest: sha256(packed), size: packed.length });
    });

    it('opens a layer more than once', async () => {
      const { cache } = await open();
      const layer = await cache.put(keyOf('a'), Readable.from([await tarOf('x')]));
      const read = async () => Buffer.concat(await Array.fromAsync(await layer.open()));
      expect((await read()).equals(await read())).toBe(true);
    });

    it('stores nothing of a tar that fails half way', async () => {
      const { cache, reopen } = await open();
      const tar = await tarOf('x');
      const failing = Readable.from(
        (async function* () {
          yield tar.subarray(0, 512);
          throw new Error('the sandbox is gone');
        })(),
      );
      await expect(cache.put(keyOf('a'), failing)).rejects.toThrow('the sandbox is gone');
      expect(await reopen().get(keyOf('a'))).toBeUndefined();
    });

    it('gives one layer under several keys', async () => {
      const { cache, reopen } = await open();
      const layer = await cache.put(keyOf('a'), Readable.from([await tarOf('x')]));
      await cache.alias(keyOf('b'), keyOf('a'));
      await cache.alias(keyOf('c'), keyOf('nothing'));
      expect((await reopen().get(keyOf('b')))?.diffId).toBe(layer.diffId);
      expect(await reopen().get(keyOf('c'))).toBeUndefined();
    });

    it('takes a key again, and the same layer from two writers at once', async () => {
      const { cache } = await open();
      const put = async (text: string) => cache.put(keyOf('a'), Readable.from([await tarOf(text)]));
      await put('old');
      const [first, second] = await Promise.all([put('new'), put('new')]);
      expect(first.diffId).toBe(second.diffId);
      expect((await cache.get(keyOf('a')))?.diffId).toBe(first.diffId);
    });
  });
}
