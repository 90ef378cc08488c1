import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Layer } from '../../image/model.ts';

/** The layer as an uncompressed tar. */
export async function openLayerTar(layer: Layer, signal?: AbortSignal): Promise<Readable> {
  const source = await layer.open(signal);
  const { mediaType } = layer.descriptor;
  if (mediaType.includes('gzip')) return forwardErrors(source, createGunzip());
  if (mediaType.includes('zstd')) return forwardErrors(source, createZstdDecompress());
  return source;
}

function forwardErrors<T extends Readable & NodeJS.WritableStream>(source: Readable, through: T): T {
  source.on('error', (error) => through.destroy(error));
  source.pipe(through);
  return through;
}
