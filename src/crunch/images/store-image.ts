import { toRfc3339Nano } from '../../core/clock.ts';
import { mapLimited } from '../../core/concurrency.ts';
import type { Digest } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { formatBytes } from '../../core/units.ts';
import { type ArchivePart, planArchive } from '../../image/archive/write.ts';
import type { Image } from '../../image/model.ts';
import { type ImageReference, toArchiveTags, toRepoTag } from '../../image/reference.ts';
import type { Collection, FileSegment } from '../../keep/collection.ts';
import { createCollectionWriter } from '../../keep/collection-writer.ts';
import type { BlockStore } from '../../keep/port.ts';
import type { BuiltinReport } from '../port.ts';
import { type LayerIndex, layersProperty } from './layer-index.ts';

/** Enough to keep a connection busy while another waits; each holds a block in memory. */
const layersAtOnce = 3;

export interface StoreImageOptions {
  readonly blocks: BlockStore;
  readonly layers: LayerIndex;
  readonly report: BuiltinReport;
  readonly signal: AbortSignal;
  /** The names of the image; the first is its property. */
  readonly references: readonly ImageReference[];
  /** Digest of what the registry's name pointed to. */
  readonly registryDigest?: Digest;
  /** Told of layers that need not be read, since Keep has them. */
  readonly onBytes?: (count: number) => void;
}

export interface StoredImage {
  readonly collection: Collection;
  readonly properties: JsonObject;
}

type LayerPart = Extract<ArchivePart, { kind: 'layer' }>;

/**
 * Makes the image collection (design 4.1). Each layer starts a block of its own; one that Keep holds already is spliced in and
 * not read at all. Nothing is left of a failure but blocks that nobody names.
 */
export async function storeImage(image: Image, options: StoreImageOptions): Promise<StoredImage> {
  const { blocks, signal } = options;
  const plan = await planArchive(image, options.references.flatMap(toArchiveTags), signal);
  const layers = plan.parts.filter((part): part is LayerPart => part.kind === 'layer');
  const stored = await mapLimited(layers, layersAtOnce, (layer) => storeLayer(layer, options));
  const segments = new Map(layers.map((layer, index) => [layer, stored[index] ?? []]));
  const writer = createCollectionWriter(blocks);
  const file = writer.createFile(plan.fileName);
  for (const part of plan.parts) {
    await file.startBlock();
    if (part.kind === 'bytes') await file.write(part.bytes);
    else await file.splice(segments.get(part) ?? []);
  }
  await file.close();
  return { collection: writer.finish(), properties: toProperties(image, layers, options) };
}

async function storeLayer(layer: LayerPart, options: StoreImageOptions): Promise<readonly FileSegment[]> {
  const { blocks, report, signal } = options;
  signal.throwIfAborted();
  const name = `layer ${layer.digest.slice(0, 19)} (${formatBytes(layer.sizeBytes)})`;
  const known = await options.layers.find(layer.digest, layer.sizeBytes, signal);
  if (known) {
    options.onBytes?.(layer.sizeBytes);
    report.line(`${name}: Keep has it`);
    return known;
  }
  report.line(`${name}: reading`);
  const file = createCollectionWriter(blocks).createFile('layer');
  for await (const chunk of await layer.open(signal)) await file.write(chunk as Uint8Array);
  const { segments } = await file.close();
  report.line(`${name}: stored`);
  return segments;
}

function toProperties(image: Image, layers: readonly LayerPart[], options: StoreImageOptions): JsonObject {
  const [reference] = options.references;
  const { created } = image.config;
  const timestampMs = created === undefined ? 0 : Date.parse(created);
  return {
    ...(reference && { 'docker-image-repo-tag': toRepoTag(reference) }),
    'docker-image-hash': image.imageHash,
    'docker-image-timestamp': created && Number.isFinite(timestampMs) ? created : toRfc3339Nano(0n),
    ...(options.registryDigest && { 'docker-image-digest': options.registryDigest }),
    [layersProperty]: layers.map((layer) => layer.digest),
  };
}
