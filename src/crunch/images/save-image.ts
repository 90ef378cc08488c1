import type { ClusterApi } from '../../api/port.ts';
import type { CollectionRecord } from '../../api/records.ts';
import type { Image } from '../../image/model.ts';
import type { ImageReference } from '../../image/reference.ts';
import type { BlockStore } from '../../keep/port.ts';
import type { BuiltinReport } from '../port.ts';
import { createLayerIndex } from './layer-index.ts';
import { linkImage } from './links.ts';
import { storeImage } from './store-image.ts';

export interface SaveImageOptions {
  readonly api: ClusterApi;
  readonly blocks: BlockStore;
  /** Of the collection. */
  readonly name: string;
  readonly references: readonly ImageReference[];
  readonly signal: AbortSignal;
}

/** Puts an image that comes from no container request into Keep, as arv-keepdocker does: with a record, properties and links. */
export async function saveImage(image: Image, options: SaveImageOptions): Promise<CollectionRecord> {
  const { api, blocks, name, references, signal } = options;
  const layers = createLayerIndex(api, blocks);
  const { collection, properties } = await storeImage(image, { blocks, layers, report: silent, signal, references });
  const record = await api.create('collections', {
    name: name.replaceAll('/', ' '),
    manifest_text: collection.manifestText,
    properties,
  });
  await linkImage(api, record.uuid, properties);
  return record;
}

const silent: BuiltinReport = { line: () => {}, activity: () => {}, output: () => {} };
