import { createHash } from 'node:crypto';
import { type Digest, isDigest } from '../../core/ids.ts';
import { isJsonObject } from '../../core/json.ts';
import { layerCompression, layerMediaType, sniffCompression } from '../media-types.ts';
import type { Descriptor, Layer } from '../model.ts';
import { transformed, verified } from '../streams.ts';
import type { BlobFile } from './files.ts';

/** A layer whose bytes are a file. `open` verifies them against the descriptor. */
export function openFileLayer(file: BlobFile, descriptor: Descriptor): Pick<Layer, 'open' | 'openFrom'> {
  return {
    open: async (signal) => {
      const bytes = await file.open(signal);
      return transformed(bytes, (source) => verified(source, descriptor, `layer ${descriptor.digest}`), signal);
    },
    openFrom: (offset, signal) => file.open(signal, offset),
  };
}

/**
 * What the layer in `file` is. A classic archive does not say it: its first bytes show the packing, and where packed bytes have no
 * known digest they are hashed. `stated` is the descriptor that the archive or its layout gives, if any.
 */
export async function describeLayer(file: BlobFile, diffId: Digest, stated: unknown): Promise<Descriptor> {
  const known = toKnown(stated, file);
  if (known) return known;
  const compression = sniffCompression(await readStart(file));
  const mediaType = layerMediaType(compression);
  if (compression === 'none') return { mediaType, digest: diffId, size: file.sizeBytes };
  const named = /(?:^|\/)blobs\/sha256\/([0-9a-f]{64})$/.exec(file.path)?.[1];
  const digest = named ? `sha256:${named}` : await hashFile(file);
  return { mediaType, digest: digest as Digest, size: file.sizeBytes };
}

function toKnown(stated: unknown, file: BlobFile): Descriptor | undefined {
  if (!isJsonObject(stated)) return undefined;
  const { mediaType, digest, size } = stated;
  if (typeof mediaType !== 'string' || !layerCompression(mediaType)) return undefined;
  if (typeof digest !== 'string' || !isDigest(digest) || size !== file.sizeBytes) return undefined;
  return { mediaType, digest, size: file.sizeBytes };
}

async function readStart(file: BlobFile): Promise<Uint8Array> {
  const stream = await file.open();
  try {
    for await (const chunk of stream) return chunk;
    return new Uint8Array();
  } finally {
    stream.destroy();
  }
}

async function hashFile(file: BlobFile): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await file.open()) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
