import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { validateImage } from '../../../test/contract/validate-image.ts';
import { tarOf } from '../../../test/fakes/registry-images.ts';
import { digestOf } from '../streams.ts';
import { openRootFileSystem } from './root-file-system.ts';

const tar = tarOf([{ path: 'etc/' }, { path: 'etc/os-release', text: 'ID=test\n' }]);
const access = (bytes: Uint8Array) => ({
  sizeBytes: bytes.length,
  openRange: (start: number, end: number) => Readable.from([bytes.subarray(start, end)], { objectMode: false }),
});

describe('a root file system', () => {
  it.each([
    ['plain', tar],
    ['gzip', gzipSync(tar)],
    ['zstd', zstdCompressSync(tar)],
  ])('as a %s tar is an image of that one layer', async (_packing, bytes) => {
    const image = await openRootFileSystem(access(bytes), 'root.tar');
    await validateImage(image);
    expect(image.config.rootfs.diff_ids).toEqual([digestOf(tar)]);
    expect(image.layers[0]?.descriptor).toMatchObject({ digest: digestOf(bytes), size: bytes.length });
    expect(image.config.config?.Env).toEqual([expect.stringMatching(/^PATH=.*:\/bin$/)]);
  });

  it('is one image however it is packed, whenever it is read', async () => {
    const [one, two] = await Promise.all(
      [tar, gzipSync(tar)].map((bytes) => openRootFileSystem(access(bytes), 'root.tar')),
    );
    expect(one?.imageHash).toBe(two?.imageHash);
  });

  it.each([
    ['text', Buffer.from('no tar at all'.repeat(100))],
    ['no file', tarOf([])],
    ['a tar that ends early', tar.subarray(0, 1100)],
    ['gzip that ends early', gzipSync(tar).subarray(0, 60)],
    ['nothing', Buffer.alloc(0)],
  ])('is not %s', async (_what, bytes) => {
    await expect(openRootFileSystem(access(bytes), 'root.tar')).rejects.toMatchObject({
      code: 'image/bad-archive',
      message: expect.stringMatching(/^root file system root\.tar: expected a tar, got /),
      hint: expect.stringContaining('dockerLoad'),
    });
  });
});
