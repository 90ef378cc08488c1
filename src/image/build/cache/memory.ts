import { Readable } from 'node:stream';
import type { Digest } from '../../../core/ids.ts';
import type { Layer } from '../../model.ts';
import type { LayerCache } from '../port.ts';
import { packLayer } from './pack.ts';

/** A cache that ends with the process: for tests and for builds that shall leave nothing. */
export function createMemoryLayerCache(): LayerCache {
  const layers = new Map<Digest, Layer>();
  return {
    get: async (key) => layers.get(key),
    async put(key, tar) {
      const chunks: Buffer[] = [];
      const packed = await packLayer(tar, async (chunk) => void chunks.push(Buffer.from(chunk)));
      const layer: Layer = { ...packed, open: async () => Readable.from(chunks, { objectMode: false }) };
      layers.set(key, layer);
      return layer;
    },
    async alias(key, of) {
      const layer = layers.get(of);
      if (layer) layers.set(key, layer);
    },
  };
}
