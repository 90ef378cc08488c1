import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Layer } from '../../model.ts';
import { type ReadTarEntry, readTar } from './read.ts';

/** The members of a layer, unpacked as its media type says. */
export async function* readLayer(layer: Layer, signal?: AbortSignal): AsyncGenerator<ReadTarEntry> {
  const packed = await layer.open(signal);
  const { mediaType } = layer.descriptor;
  const unpacker = /gzip$/.test(mediaType)
    ? createGunzip()
    : /zstd$/.test(mediaType)
      ? createZstdDecompress()
      : undefined;
  if (!unpacker) return yield* readTar(packed);
  packed.on('error', (error) => unpacker.destroy(error));
  try {
    yield* readTar(packed.pipe(unpacker));
  } finally {
    packed.destroy();
    unpacker.destroy();
  }
}
