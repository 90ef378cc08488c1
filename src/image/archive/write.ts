import type { Readable } from 'node:stream';
import type { Digest } from '../../core/ids.ts';
import { decompressLayer } from '../layers/decompress.ts';
import { layerCompression, layerMediaType } from '../media-types.ts';
import type { Descriptor, Image, Layer } from '../model.ts';
import { readableFrom } from '../streams.ts';
import { tarEnd, tarFill, tarHeader } from '../tar/write.ts';

/** A run of the archive's bytes. Layers are apart, so that each can start a Keep block of its own, or be one already. */
export type ArchivePart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'layer';
      readonly diffId: Digest;
      /** Of the bytes as the archive holds them: equal digest, equal bytes, in every archive. */
      readonly digest: Digest;
      readonly sizeBytes: number;
      open(signal?: AbortSignal): Promise<Readable>;
    };

/** An archive that is all known but for its layers' bytes: `parts` in order are it. */
export interface ArchivePlan {
  /** `sha256:<64 hex>.tar`: the name of the file in its image collection. */
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly parts: readonly ArchivePart[];
}

/**
 * Plans the archive of one image in `docker save` form: manifest.json and config first, then each layer once, exactly as its source
 * serves it. zstd alone is unpacked, since older engines cannot read it: such a layer is read once here to learn its size.
 * Equal image, layers and tags give equal bytes.
 */
export async function planArchive(
  image: Image,
  repoTags: readonly string[],
  signal?: AbortSignal,
): Promise<ArchivePlan> {
  const layers = await Promise.all(image.layers.map((layer) => toStored(layer, signal)));
  const parts: ArchivePart[] = [{ kind: 'bytes', bytes: archiveHead(image, layers, repoTags) }];
  const distinct = new Map(layers.map((layer) => [layer.diffId, layer]));
  for (const layer of distinct.values()) {
    const { diffId, descriptor } = layer;
    const header = memberHeader(layerPath(layer), descriptor.size);
    parts.push({ kind: 'bytes', bytes: header });
    parts.push({
      kind: 'layer',
      diffId,
      digest: descriptor.digest,
      sizeBytes: descriptor.size,
      open: (abort) => layer.open(abort),
    });
    parts.push({ kind: 'bytes', bytes: tarFill(descriptor.size) });
  }
  parts.push({ kind: 'bytes', bytes: tarEnd() });
  const joined = joinBytes(parts);
  return { fileName: archiveName(image.imageHash), sizeBytes: sum(joined), parts: joined };
}

/** `sha256:<64 hex>.tar`. */
const archiveName = (imageHash: Digest): string => `${imageHash}.tar`;

/** The archive as one stream. Layers are opened one after the other. */
export function writeArchive(plan: ArchivePlan, signal?: AbortSignal): Readable {
  return readableFrom(async function* (stop) {
    for (const part of plan.parts) {
      if (part.kind === 'bytes') yield part.bytes;
      else yield* await part.open(stop);
    }
  }, signal);
}

async function toStored(layer: Layer, signal?: AbortSignal): Promise<Layer> {
  if (layerCompression(layer.descriptor.mediaType) !== 'zstd') return layer;
  let size = 0;
  for await (const chunk of await decompressLayer(layer, signal ? { signal } : {}))
    size += (chunk as Uint8Array).length;
  return {
    diffId: layer.diffId,
    descriptor: { mediaType: layerMediaType('none'), digest: layer.diffId, size },
    open: (abort) => decompressLayer(layer, abort ? { signal: abort } : {}),
  };
}

function archiveHead(image: Image, layers: readonly Layer[], repoTags: readonly string[]): Buffer {
  const configPath = `${hexOf(image.imageHash)}.json`;
  const manifest = [
    {
      Config: configPath,
      RepoTags: repoTags.length > 0 ? repoTags : null,
      Layers: layers.map(layerPath),
      // As docker 25 and newer write it: a reader learns the packed layers' digests without hashing them.
      LayerSources: Object.fromEntries(layers.map(({ diffId, descriptor }) => [diffId, toSource(descriptor)])),
    },
  ];
  return Buffer.concat([
    member('manifest.json', Buffer.from(`${JSON.stringify(manifest)}\n`)),
    member(configPath, image.configBytes),
  ]);
}

const toSource = ({ mediaType, digest, size }: Descriptor) => ({ mediaType, size, digest });

const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

const layerPath = ({ diffId }: Layer): string => `${hexOf(diffId)}.tar`;

const memberHeader = (path: string, size: number): Buffer => tarHeader({ path, type: 'file', mode: 0o644, size });

const member = (path: string, content: Uint8Array): Buffer =>
  Buffer.concat([memberHeader(path, content.length), content, tarFill(content.length)]);

/** Neighbouring byte parts become one. */
function joinBytes(parts: readonly ArchivePart[]): ArchivePart[] {
  const joined: ArchivePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.kind === 'bytes' && last?.kind === 'bytes') {
      joined[joined.length - 1] = { kind: 'bytes', bytes: Buffer.concat([last.bytes, part.bytes]) };
    } else joined.push(part);
  }
  return joined;
}

const sum = (parts: readonly ArchivePart[]): number =>
  parts.reduce((total, part) => total + (part.kind === 'bytes' ? part.bytes.length : part.sizeBytes), 0);
