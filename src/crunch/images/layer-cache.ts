import type { ClusterApi } from '../../api/port.ts';
import type { CollectionRecord } from '../../api/records.ts';
import { type Digest, toDigest } from '../../core/ids.ts';
import { type PackedLayer, packLayer } from '../../image/build/cache/pack.ts';
import type { LayerCache } from '../../image/build/port.ts';
import type { Layer } from '../../image/model.ts';
import { transformed, verified } from '../../image/streams.ts';
import type { CollectionFile } from '../../keep/collection.ts';
import { createCollectionWriter } from '../../keep/collection-writer.ts';
import { openFile } from '../../keep/file-reader.ts';
import { parseManifest } from '../../keep/manifest.ts';
import type { BlockStore } from '../../keep/port.ts';

/** Properties of the collection that holds one layer of a build. */
export const layerKeyProperty = 'hallmark-layer-key';
export const layerDigestProperty = 'hallmark-layer-digest';

const fileName = 'layer.tar.gz';

/**
 * The layers of builds, in Keep: a collection for each key. An image that is made of them only names their blocks. A crash
 * leaves a layer without a record, which is none.
 */
export function createKeepLayerCache(api: ClusterApi, blocks: BlockStore): LayerCache {
  const known = new Map<Digest, Layer>();
  const find = async (key: Digest): Promise<CollectionRecord | undefined> => {
    const filters = [[`properties.${layerKeyProperty}`, '=', key]] as const;
    const select = ['uuid', 'properties', 'manifest_text'];
    return (await api.list('collections', { filters, select, limit: 1 })).items[0];
  };
  const record = (key: Digest, { properties, manifest_text }: Pick<CollectionRecord, 'properties' | 'manifest_text'>) =>
    api.create('collections', {
      name: `build layer ${key}`,
      properties: { ...properties, [layerKeyProperty]: key },
      manifest_text,
    });
  return {
    async get(key) {
      const found = known.has(key) ? undefined : await find(key);
      const layer = found && (await readLayer(found, blocks));
      if (layer) known.set(key, layer);
      return known.get(key);
    },
    async put(key, tar) {
      const writer = createCollectionWriter(blocks);
      const output = writer.createFile(fileName);
      const packed = await packLayer(tar, (chunk) => output.write(chunk));
      const file = await output.close();
      const { diffId, descriptor } = packed;
      const properties = {
        type: 'build-layer',
        [layerDigestProperty]: descriptor.digest,
        'hallmark-layer-diff-id': diffId,
        'hallmark-layer-media-type': descriptor.mediaType,
      };
      await record(key, { properties, manifest_text: writer.finish().manifestText });
      const layer = toLayer(packed, file, blocks);
      known.set(key, layer);
      return layer;
    },
    async alias(key, of) {
      const named = await find(of);
      if (named && !(await find(key))) await record(key, named);
    },
  };
}

/** Undefined where the record is not what we write, or a block of it is gone. */
async function readLayer(record: CollectionRecord, blocks: BlockStore): Promise<Layer | undefined> {
  const file = parseManifest(record.manifest_text).files.get(fileName);
  const { properties } = record;
  if (!file) return undefined;
  for (const { locator } of file.segments) if (!(await blocks.has(locator))) return undefined;
  const digest = toDigest(String(properties[layerDigestProperty]));
  const mediaType = String(properties['hallmark-layer-media-type']);
  const diffId = toDigest(String(properties['hallmark-layer-diff-id']));
  return toLayer({ diffId, descriptor: { mediaType, digest, size: file.sizeBytes } }, file, blocks);
}

function toLayer({ diffId, descriptor }: PackedLayer, file: CollectionFile, blocks: BlockStore): Layer {
  return {
    diffId,
    descriptor,
    open: async (signal) => {
      const bytes = openFile(blocks, file, signal ? { signal } : {});
      return transformed(bytes, (source) => verified(source, descriptor, `build layer ${descriptor.digest}`), signal);
    },
    openFrom: async (offset, signal) => openFile(blocks, file, { start: offset, ...(signal && { signal }) }),
  };
}
