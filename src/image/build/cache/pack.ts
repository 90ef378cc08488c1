import { createHash, type Hash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Digest } from '../../../core/ids.ts';
import { mediaTypes } from '../../media-types.ts';
import type { Descriptor } from '../../model.ts';

/** What a packed layer is called. */
export interface PackedLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
}

/** Fast rather than small: a layer is packed once, on the way of a build that somebody waits for. */
const gzipLevel = 2;

/**
 * Gzips an uncompressed layer tar into `write`, and works out both digests on the way. The gzip header holds no time, name or
 * system, so equal tars give equal bytes with equal zlibs; the diffId never depends on zlib.
 */
export async function packLayer(
  tar: AsyncIterable<Uint8Array>,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<PackedLayer> {
  const diff = createHash('sha256');
  const packed = createHash('sha256');
  let size = 0;
  await pipeline(hashed(tar, diff), createGzip({ level: gzipLevel }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      if (size === 0) chunk[9] = 0xff;
      size += chunk.length;
      packed.update(chunk);
      await write(chunk);
    }
  });
  return {
    diffId: toSha256(diff.digest('hex')),
    descriptor: {
      mediaType: mediaTypes.ociLayerGzip,
      digest: toSha256(packed.digest('hex')),
      size,
    },
  };
}

async function* hashed(tar: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of tar) {
    hash.update(chunk);
    yield chunk;
  }
}

const toSha256 = (hex: string): Digest => `sha256:${hex}` as Digest;
