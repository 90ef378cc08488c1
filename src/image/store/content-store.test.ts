import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { validateImage } from '../../../test/contract/validate-image.ts';
import { layerOf, smallImage } from '../../../test/fakes/registry-images.ts';
import type { Descriptor, Image } from '../model.ts';
import { digestOf, readableFrom } from '../streams.ts';
import { createContentStore } from './content-store.ts';
import type { BlobProvider } from './provider.ts';
import { blobPath } from './transfer.ts';

const scratch = mkdtempSync(join(tmpdir(), 'content-store-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const freshDir = () => mkdtempSync(join(scratch, 'cache-'));

const bytes = Buffer.from('the bytes of a blob'.repeat(1000));
const blob: Descriptor = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };

/** Gives the bytes in pieces; counts how often and from where it was opened. */
function providerWith(
  content: Buffer,
  options: { name?: string; failAfter?: number; gate?: Promise<void>; canResume?: boolean } = {},
) {
  const opened: number[] = [];
  const openFrom = async (_blob: Descriptor, offset: number) => {
    opened.push(offset);
    return readableFrom(async function* (signal) {
      for (let at = offset; at < content.length; at += 1000) {
        if (options.failAfter !== undefined && at - offset >= options.failAfter) throw new Error('cable cut');
        yield content.subarray(at, at + 1000);
        if (options.gate)
          await Promise.race([
            options.gate,
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
          ]);
      }
    });
  };
  const provider: BlobProvider = {
    name: options.name ?? 'fake',
    open: (descriptor) => openFrom(descriptor, 0),
    ...(options.canResume !== false && { openFrom }),
  };
  return { provider, opened };
}
const absent: BlobProvider = { name: 'keep', open: async () => undefined };

describe('fetch', () => {
  it('brings the blob once, verified, and leaves nothing else', async () => {
    const cacheDir = freshDir();
    const { provider, opened } = providerWith(bytes);
    const store = createContentStore({ cacheDir, providers: [absent] });
    expect(await store.has(blob)).toBe(false);
    const path = await store.fetch(blob, { from: [provider] });
    expect(readFileSync(path)).toEqual(bytes);
    await store.fetch(blob);
    expect(opened).toEqual([0]);
    expect(readdirSync(join(cacheDir, 'partial'))).toEqual([]);
  });

  it('is one transfer for concurrent readers', async () => {
    const { provider, opened } = providerWith(bytes);
    const store = createContentStore({ cacheDir: freshDir() });
    const paths = await Promise.all(Array.from({ length: 20 }, () => store.fetch(blob, { from: [provider] })));
    expect(new Set(paths).size).toBe(1);
    expect(opened).toEqual([0]);
  });

  it('goes on for the others when one reader is cancelled, and stops with the last', async () => {
    const cacheDir = freshDir();
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { provider, opened } = providerWith(bytes, { gate });
    const store = createContentStore({ cacheDir });
    const [first, second] = [new AbortController(), new AbortController()];
    const cancelled = store.fetch(blob, { from: [provider], signal: first.signal });
    const kept = store.fetch(blob, { from: [provider], signal: second.signal });
    setTimeout(() => first.abort(), 10);
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
    release();
    expect(readFileSync(await kept)).toEqual(bytes);
    expect(opened).toEqual([0]);
  });

  it('takes up what a cancelled transfer left', async () => {
    const cacheDir = freshDir();
    const never = new Promise<void>(() => {});
    const slow = providerWith(bytes, { gate: never });
    const store = createContentStore({ cacheDir });
    const abort = new AbortController();
    const cancelled = store.fetch(blob, { from: [slow.provider], signal: abort.signal });
    await expect.poll(() => slow.opened.length).toBe(1);
    setTimeout(() => abort.abort(), 30);
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => readdirSync(join(cacheDir, 'partial')).some((name) => name.includes('.free-'))).toBe(true);
    const { provider, opened } = providerWith(bytes);
    expect(readFileSync(await store.fetch(blob, { from: [provider] }))).toEqual(bytes);
    expect(opened).toEqual([1000]);
  });

  it('goes on with the next provider where one breaks off', async () => {
    const broken = providerWith(bytes, { name: 'mirror', failAfter: 4000 });
    const whole = providerWith(bytes);
    const store = createContentStore({ cacheDir: freshDir() });
    await store.fetch(blob, { from: [broken.provider, whole.provider] });
    expect(whole.opened).toHaveLength(1);
    expect(whole.opened[0]).toBeGreaterThan(0);
  });

  it('starts anew where the next provider cannot start in the middle', async () => {
    const broken = providerWith(bytes, { failAfter: 4000 });
    const whole = providerWith(bytes, { canResume: false });
    const store = createContentStore({ cacheDir: freshDir() });
    expect(readFileSync(await store.fetch(blob, { from: [broken.provider, whole.provider] }))).toEqual(bytes);
  });

  it('never shows wrong bytes', async () => {
    const cacheDir = freshDir();
    const wrong = providerWith(Buffer.alloc(bytes.length));
    const store = createContentStore({ cacheDir });
    await expect(store.fetch(blob, { from: [wrong.provider] })).rejects.toMatchObject({ code: 'image/blob-damaged' });
    expect(await store.has(blob)).toBe(false);
    expect(readdirSync(join(cacheDir, 'partial'))).toEqual([]);
    const short = providerWith(bytes.subarray(0, 5000));
    await expect(store.fetch(blob, { from: [short.provider] })).rejects.toMatchObject({
      message: expect.stringContaining('got 5000'),
    });
  });

  it('drops a partial file that turns out wrong', async () => {
    const cacheDir = freshDir();
    const lying = providerWith(Buffer.alloc(bytes.length), { failAfter: 4000 });
    const whole = providerWith(bytes);
    const store = createContentStore({ cacheDir });
    expect(readFileSync(await store.fetch(blob, { from: [lying.provider, whole.provider] }))).toEqual(bytes);
    expect(whole.opened).toEqual([expect.toSatisfy((offset: number) => offset > 0), 0]);
  });

  it('names the blob that nobody has, and whom it asked', async () => {
    const store = createContentStore({ cacheDir: freshDir(), providers: [absent] });
    const broken = providerWith(bytes, { name: 'mirror', failAfter: 0 });
    await expect(store.fetch(blob, { from: [broken.provider] })).rejects.toMatchObject({
      code: 'image/blob-missing',
      message: `blob ${blob.digest} is nowhere to be had; asked keep (does not have it), mirror (cable cut)`,
    });
  });

  it('says that the cache cannot be written', async () => {
    const file = join(freshDir(), 'file');
    writeFileSync(file, '');
    const store = createContentStore({ cacheDir: join(file, 'cache') });
    const { provider, opened } = providerWith(bytes);
    await expect(store.fetch(blob, { from: [provider] })).rejects.toMatchObject({
      code: 'image/cache-failed',
      message: expect.stringContaining('ENOTDIR'),
    });
    expect(opened).toEqual([]);
  });

  it('lets each reader try with its own credentials', async () => {
    const store = createContentStore({ cacheDir: freshDir() });
    const [firstAsks, bothAsk] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const stranger: BlobProvider = {
      name: 'stranger',
      open: async () => {
        firstAsks.resolve();
        await bothAsk.promise;
        throw new Error('unauthorized');
      },
    };
    const { provider } = providerWith(bytes);
    const first = store.fetch(blob, { from: [stranger] });
    await firstAsks.promise;
    const second = store.fetch(blob, { from: [provider] });
    bothAsk.resolve();
    await expect(first).rejects.toMatchObject({ code: 'image/blob-missing' });
    expect(readFileSync(await second)).toEqual(bytes);
  });

  it('takes over from a process that was killed', async () => {
    const cacheDir = freshDir();
    const script = join(scratch, 'dies.ts');
    const here = import.meta.dirname;
    writeFileSync(
      script,
      `import { Readable } from 'node:stream';
import { createContentStore } from '${here}/content-store.ts';
const piece = Buffer.from('the bytes of a blob'.repeat(1000)).subarray(0, 7000);
const open = async () => Readable.from((async function* () { yield piece; await new Promise(() => setInterval(() => {}, 1000)); })());
createContentStore({ cacheDir: '${cacheDir}' }).fetch(${JSON.stringify(blob)}, { from: [{ name: 'x', open }] });
`,
    );
    const child = fork(script, { stdio: 'ignore', execArgv: [] });
    const partial = join(cacheDir, 'partial');
    await expect
      .poll(() => existsSync(partial) && readdirSync(partial).map((name) => readFileSync(join(partial, name)).length), {
        timeout: 10_000,
      })
      .toEqual([7000]);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const { provider, opened } = providerWith(bytes);
    child.kill('SIGKILL');
    await exited;
    expect(readFileSync(await createContentStore({ cacheDir }).fetch(blob, { from: [provider] }))).toEqual(bytes);
    expect(opened).toEqual([7000]);
    expect(readdirSync(partial)).toEqual([]);
  });
});

describe('open', () => {
  it('verifies what an earlier process left, and takes damage away', async () => {
    const cacheDir = freshDir();
    const { provider } = providerWith(bytes);
    const path = await createContentStore({ cacheDir }).fetch(blob, { from: [provider] });
    writeFileSync(path, Buffer.alloc(bytes.length));
    const store = createContentStore({ cacheDir });
    await expect(store.open(blob).then(buffer)).rejects.toMatchObject({ code: 'image/blob-damaged' });
    expect(existsSync(blobPath(cacheDir, blob.digest))).toBe(false);
    expect(await buffer(await store.open(blob, { from: [provider] }))).toEqual(bytes);
  });

  it('takes a file of the wrong size for nothing', async () => {
    const cacheDir = freshDir();
    const { provider } = providerWith(bytes);
    const store = createContentStore({ cacheDir });
    writeFileSync(await store.fetch(blob, { from: [provider] }), 'short');
    expect(await store.has(blob)).toBe(false);
  });
});

describe('a lazy image', () => {
  /** Counts how often each layer's own source was opened. */
  function counted(image: Image): { readonly image: Image; readonly opens: number[] } {
    const opens: number[] = [];
    const layers = image.layers.map((layer, index) => ({
      ...layer,
      open: () => {
        opens[index] = (opens[index] ?? 0) + 1;
        return layer.open();
      },
    }));
    return { image: { ...image, layers }, opens };
  }

  it('reads no layer until one is opened, and each once', async () => {
    const { image, opens } = counted(smallImage('one', 'two'));
    const lazy = createContentStore({ cacheDir: freshDir() }).lazy(image);
    expect(opens).toEqual([]);
    await validateImage(lazy);
    expect(opens).toEqual([1, 1]);
  });

  it('tells of the bytes of a layer once, however often it is opened, and also of one that is here', async () => {
    const image = smallImage('one', 'two');
    const total = image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    const store = createContentStore({ cacheDir: freshDir() });
    for (let round = 0; round < 2; round += 1) {
      let told = 0;
      const onBytes = (count: number) => {
        told += count;
      };
      await validateImage(store.lazy(image, { onBytes }));
      expect(told).toBe(total);
    }
  });

  it('is fetched again where it was dropped, and who reads it reads on', async () => {
    const { image, opens } = counted(smallImage('one'));
    const store = createContentStore({ cacheDir: freshDir() });
    const lazy = store.lazy(image);
    const [layer] = lazy.layers;
    const reader = await layer?.open();
    await store.drop(image);
    expect(reader && digestOf(await buffer(reader))).toBe(layer?.descriptor.digest);
    expect(await store.has(layer?.descriptor ?? blob)).toBe(false);
    await validateImage(lazy);
    expect(opens).toEqual([2]);
  });

  it('brings layers in parallel, within bounds', async () => {
    let running = 0;
    let most = 0;
    const layers = Array.from({ length: 9 }, (_, index) => {
      const layer = layerOf(Buffer.alloc(512 * (index + 1)), 'none');
      const open = async () =>
        Readable.from(
          (async function* () {
            running += 1;
            most = Math.max(most, running);
            await new Promise((resolve) => setTimeout(resolve, 5));
            yield layer.bytes;
            running -= 1;
          })(),
        );
      return { ...layer, open };
    });
    const lazy = createContentStore({ cacheDir: freshDir(), concurrency: 3 }).lazy({ ...smallImage('x'), layers });
    await Promise.all(lazy.layers.map(async (layer) => buffer(await layer.open())));
    expect(most).toBe(3);
  });
});

describe('progress', () => {
  it('takes back what has to come again, and counts once what an earlier try left', async () => {
    const cacheDir = freshDir();
    const lying = providerWith(Buffer.alloc(bytes.length), { failAfter: 4000 });
    const whole = providerWith(bytes);
    const told: number[] = [];
    const options = { from: [lying.provider, whole.provider], onBytes: (count: number) => told.push(count) };
    await createContentStore({ cacheDir }).fetch(blob, options);
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(blob.size);
    expect(Math.min(...told)).toBeLessThan(0);
  });
});
