import { Readable } from 'node:stream';
import type { Digest } from '../../src/core/ids.ts';
import { packLayer } from '../../src/image/build/cache/pack.ts';
import type { LayerCache } from '../../src/image/build/port.ts';
import type { Layer } from '../../src/image/model.ts';

/** A cache that ends with the process. */
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
