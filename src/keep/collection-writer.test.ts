import { describe, expect, it } from 'vitest';
import { createCollectionWriter } from './collection-writer.ts';
import { readText } from './file-reader.ts';
import { toLocator } from './locator.ts';
import { createMemoryBlockStore } from './memory-store.ts';
import { maxBlockBytes } from './port.ts';
import { getFile } from './tree.ts';

describe('writing a collection', () => {
  it('begins blocks where it is told and splices what is stored', async () => {
    const store = createMemoryBlockStore();
    const layer = await store.write(Buffer.from('the layer'));
    const writer = createCollectionWriter(store);
    const archive = writer.createFile('image.tar');
    await archive.write(Buffer.from('head|'));
    await archive.startBlock();
    await archive.write(Buffer.from('more|'));
    expect(archive.position()).toBe(10);
    await archive.splice([{ locator: layer, offset: 4, length: 5 }]);
    expect(archive.position()).toBe(15);
    await archive.write(Buffer.from('|tail'));
    await archive.close();
    const collection = writer.finish();
    const file = getFile(collection, 'image.tar');
    expect(file.segments).toEqual([
      { locator: toLocator(Buffer.from('head|')), offset: 0, length: 5 },
      { locator: toLocator(Buffer.from('more|')), offset: 0, length: 5 },
      { locator: layer, offset: 4, length: 5 },
      { locator: toLocator(Buffer.from('|tail')), offset: 0, length: 5 },
    ]);
    expect(await readText(store, file)).toBe('head|more|layer|tail');
  });

  it('cuts a stream into blocks of 64 MiB', async () => {
    const store = createMemoryBlockStore();
    const writer = createCollectionWriter(store);
    const mib = Buffer.alloc(1024 * 1024 - 1, 1);
    const stream = async function* () {
      for (let i = 0; i < 65; i += 1) yield mib;
    };
    const file = await writer.addStream('big', stream());
    expect(file.sizeBytes).toBe(65 * mib.length);
    expect(file.segments.map(({ length }) => length)).toEqual([maxBlockBytes, 65 * mib.length - maxBlockBytes]);
  });

  it('refuses a piece that reaches past its block', async () => {
    const store = createMemoryBlockStore();
    const locator = await store.write(Buffer.from('12345'));
    const file = createCollectionWriter(store).createFile('f');
    await expect(file.splice([{ locator, offset: 3, length: 3 }])).rejects.toMatchObject({ code: 'keep/bad-manifest' });
  });

  it('refuses a bad path before it takes any bytes', () => {
    const writer = createCollectionWriter(createMemoryBlockStore());
    expect(() => writer.createFile('../f')).toThrow(expect.objectContaining({ code: 'keep/bad-path' }));
    expect(() => writer.addDirectory('/d')).toThrow(expect.objectContaining({ code: 'keep/bad-path' }));
  });

  it('takes files of the host, also for a store that is not on this machine', async () => {
    const store = createMemoryBlockStore();
    const writer = createCollectionWriter(store);
    await writer.addHostFile('self.ts', new URL(import.meta.url).pathname);
    expect(await readText(store, getFile(writer.finish(), 'self.ts'))).toContain('also for a store');
  });
});
