import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type Compression, sniffCompression } from '../../media-types.ts';
import { bunzip2 } from './bunzip2.ts';
import { unxz } from './unxz.ts';

/** How an archive is packed: what layers may be, and two of old. */
export type Packing = Compression | 'bzip2' | 'xz';

/** The packing that the first bytes show. */
export function sniffPacking(start: Buffer): Packing {
  if (start.toString('latin1', 0, 3) === 'BZh') return 'bzip2';
  if (start[0] === 0xfd && start.toString('latin1', 1, 6) === '7zXZ\0') return 'xz';
  return sniffCompression(start);
}

/** The unpacked bytes, a bounded part of them in memory at a time. Throws for what is damaged. */
export function unpack(packed: AsyncIterable<Uint8Array>, packing: Packing): AsyncGenerator<Uint8Array> {
  switch (packing) {
    case 'none':
      return asItIs(packed);
    case 'gzip':
      return inflate(packed, createGunzip());
    case 'zstd':
      return inflate(packed, createZstdDecompress());
    case 'bzip2':
      return bunzip2(packed);
    case 'xz':
      return unxz(packed);
  }
}

async function* asItIs(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* inflate(
  packed: AsyncIterable<Uint8Array>,
  inflater: ReturnType<typeof createGunzip | typeof createZstdDecompress>,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(packed);
  source.on('error', (error) => inflater.destroy(error));
  try {
    yield* source.pipe(inflater) as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
    inflater.destroy();
  }
}
