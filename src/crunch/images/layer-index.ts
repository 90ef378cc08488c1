import type { ClusterApi } from '../../api/port.ts';
import type { Digest } from '../../core/ids.ts';
import { isJsonObject } from '../../core/json.ts';
import { readTar } from '../../image/tar/read.ts';
import { rangeSource } from '../../image/tar/source.ts';
import type { CollectionFile, FileSegment } from '../../keep/collection.ts';
import { openFile, sliceSegments } from '../../keep/file-reader.ts';
import { parseManifest } from '../../keep/manifest.ts';
import type { BlockStore } from '../../keep/port.ts';
import { toRandomAccess } from '../../keep/random-access.ts';
import { findImageFile } from './image-file.ts';
import { layerDigestProperty } from './layer-cache.ts';

/** Property of an image collection: the digests of its layers as the archive holds them. */
export const layersProperty = 'hallmark-image-layers';

/** Finds the bytes of a layer in the images that Keep holds already. */
export interface LayerIndex {
  find(digest: Digest, sizeBytes: number, signal?: AbortSignal): Promise<readonly FileSegment[] | undefined>;
}

/** Where each layer of an archive lies: digest of the stored bytes → its part of the file. */
type LayerPlaces = ReadonlyMap<string, readonly FileSegment[]>;

const maxManifestBytes = 4 * 1024 * 1024;

export function createLayerIndex(api: ClusterApi, blocks: BlockStore): LayerIndex {
  const archives = new Map<string, Promise<LayerPlaces>>();
  const placesOf = (hash: string, file: CollectionFile): Promise<LayerPlaces> => {
    const known = archives.get(hash) ?? locateLayers(blocks, file);
    archives.set(hash, known);
    return known;
  };
  return {
    async find(digest, sizeBytes) {
      const { items } = await api.list('collections', {
        filters: [[`properties.${layersProperty}`, 'contains', digest]],
        select: ['uuid', 'portable_data_hash', 'manifest_text'],
        order: ['created_at desc'],
        limit: 4,
      });
      const built = await findBuilt(digest);
      if (built && lengthOf(built) === sizeBytes && (await allHere(blocks, built))) return built;
      // An image that cannot be read is no reason not to look further, or to transfer the layer.
      for (const { portable_data_hash, manifest_text } of items) {
        const segments = await findIn(portable_data_hash, manifest_text, digest).catch(() => undefined);
        if (segments && lengthOf(segments) === sizeBytes && (await allHere(blocks, segments))) return segments;
      }
      return undefined;
    },
  };
  /** A layer that a build made lies in a collection of its own. */
  async function findBuilt(digest: Digest): Promise<readonly FileSegment[] | undefined> {
    const filters = [[`properties.${layerDigestProperty}`, '=', digest]] as const;
    const { items } = await api.list('collections', { filters, select: ['uuid', 'manifest_text'], limit: 1 });
    const [file] = items[0] ? parseManifest(items[0].manifest_text).files.values() : [];
    return file?.segments;
  }
  async function findIn(hash: string, manifestText: string, digest: Digest) {
    const { file } = findImageFile(parseManifest(manifestText));
    return (await placesOf(hash, file)).get(digest);
  }
}

const lengthOf = (segments: readonly FileSegment[]): number => segments.reduce((sum, one) => sum + one.length, 0);

async function allHere(blocks: BlockStore, segments: readonly FileSegment[]): Promise<boolean> {
  for (const { locator } of segments) if (!(await blocks.has(locator))) return false;
  return true;
}

/** Reads the headers of an archive of ours, and its manifest.json, which names the digest of each layer. */
async function locateLayers(blocks: BlockStore, file: CollectionFile): Promise<LayerPlaces> {
  const members = new Map<string, { start: number; end: number }>();
  for await (const { path, dataOffset, size } of readTar(rangeSource(toRandomAccess(blocks, file)))) {
    members.set(path, { start: dataOffset, end: dataOffset + size });
  }
  const manifest = members.get('manifest.json');
  if (!manifest || manifest.end - manifest.start > maxManifestBytes) return new Map();
  const chunks: Buffer[] = [];
  for await (const chunk of openFile(blocks, file, manifest)) chunks.push(chunk);
  const places = new Map<string, readonly FileSegment[]>();
  for (const [diffId, digest] of readSources(Buffer.concat(chunks).toString())) {
    const range = members.get(`${diffId.slice('sha256:'.length)}.tar`);
    if (range) places.set(digest, sliceSegments(file.segments, range));
  }
  return places;
}

/** `LayerSources` of manifest.json, as docker 25 and newer, and we, write it: DiffID → descriptor. */
function readSources(text: string): [diffId: string, digest: string][] {
  const json: unknown = JSON.parse(text);
  const [item] = Array.isArray(json) ? (json as unknown[]) : [];
  const sources = isJsonObject(item) && isJsonObject(item.LayerSources) ? item.LayerSources : {};
  return Object.entries(sources).flatMap(([diffId, source]): [string, string][] =>
    isJsonObject(source) && typeof source.digest === 'string' ? [[diffId, source.digest]] : [],
  );
}
