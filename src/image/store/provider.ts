import type { Readable } from 'node:stream';
import type { Descriptor, Layer } from '../model.ts';

/** Something that may have blobs: Keep, a registry, an archive. */
export interface BlobProvider {
  /** For messages. */
  readonly name: string;
  /** The blob's bytes, or undefined where this provider does not have it. The store verifies. */
  open(descriptor: Descriptor, signal: AbortSignal): Promise<Readable | undefined>;
  /** The bytes from `offset` on, where the provider can start in the middle. */
  openFrom?(descriptor: Descriptor, offset: number, signal: AbortSignal): Promise<Readable | undefined>;
}

/** The layer's own source, with the credentials that it was opened with. */
export function providerOf(layer: Layer, name = 'its source'): BlobProvider {
  const { openFrom } = layer;
  return {
    name,
    open: (_descriptor, signal) => layer.open(signal),
    ...(openFrom && {
      openFrom: (_descriptor: Descriptor, offset: number, signal: AbortSignal) => openFrom(offset, signal),
    }),
  };
}
