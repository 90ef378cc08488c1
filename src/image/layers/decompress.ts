import { createHash } from 'node:crypto';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Digest } from '../../core/ids.ts';
import { formatBytes, gib } from '../../core/units.ts';
import { imageError } from '../errors.ts';
import { type Compression, layerCompression } from '../media-types.ts';
import type { Layer } from '../model.ts';
import { transformed } from '../streams.ts';

const chunkSize = 128 * 1024;

export interface DecompressOptions {
  readonly signal?: AbortSignal;
  /** Most bytes that the layer may unpack to; 64 GiB unless said. */
  readonly maxBytes?: number;
}

/**
 * The layer as an uncompressed tar. Ends with `image/digest-mismatch` unless its digest is `layer.diffId`, and with
 * `image/unsafe-layer` past `maxBytes`: what was read before that error must not be used. Memory is bounded.
 */
export async function decompressLayer(layer: Layer, options: DecompressOptions = {}): Promise<Readable> {
  const compression = layerCompression(layer.descriptor.mediaType);
  if (!compression) {
    throw imageError(
      'image/unsupported-manifest',
      `layer ${layer.diffId}: cannot read the media type ${layer.descriptor.mediaType}`,
    );
  }
  const packed = await layer.open(options.signal);
  const tar = unpack(packed, compression);
  return transformed(tar, (source) => checkedTar(layer, source, options.maxBytes ?? 64 * gib), options.signal);
}

/** Unpacks a stream. An error of either side, or an end before its time, ends both. */
export function unpack(packed: Readable, compression: Compression): Readable {
  if (compression === 'none') return packed;
  const inflate = compression === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  // The error reaches whoever reads `inflate`, which pipeline destroys with it.
  return pipeline(packed, inflate, () => {});
}

async function* checkedTar(layer: Layer, tar: Readable, maxBytes: number): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of tar) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(layer.diffId, maxBytes);
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw unpackError(error, layer);
  }
  const got = `sha256:${hash.digest('hex')}`;
  if (got !== layer.diffId) {
    throw imageError(
      'image/digest-mismatch',
      `layer ${layer.descriptor.digest}: expected the diff id ${layer.diffId}, got ${got}`,
      {
        hint: 'the image says another content than its layer has: have it pushed again',
      },
    );
  }
}

const tooLarge = (diffId: Digest, maxBytes: number) =>
  imageError('image/unsafe-layer', `layer ${diffId} unpacks to more than ${formatBytes(maxBytes)}`, {
    hint: 'it may be a compression bomb; if it is not, raise the limit',
  });

function unpackError(error: unknown, layer: Layer): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (!/^(Z_|ZSTD_)/.test(code)) return error;
  return imageError(
    'image/blob-damaged',
    `layer ${layer.descriptor.digest}: ${(error as Error).message} (${layer.descriptor.mediaType})`,
    {
      cause: error,
      hint: 'the layer is not packed as its media type says, or is damaged',
    },
  );
}
