import { type Digest, isDigest } from '../core/ids.ts';
import { isJsonObject } from '../core/json.ts';
import { imageError } from './errors.ts';
import { isForeignLayer, isIndexType, isManifestType, layerCompression, mediaTypes } from './media-types.ts';
import type { Descriptor, ImageConfig, Platform } from './model.ts';

/** The most bytes that a manifest, an index or a config may have: distribution-spec 1.1, "Pushing Manifests". */
export const maxManifestBytes = 4 * 1024 * 1024;

/** OCI image-spec 1.1, "Image Manifest" and "Image Index", with what is used of them. */
export type Manifest =
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
    }
  | { readonly kind: 'index'; readonly mediaType: string; readonly manifests: readonly Descriptor[] };

/** Parses what a registry or layout holds under the name `what`. `contentType` decides where the text does not say it. */
export function parseManifest(bytes: Uint8Array, what: string, contentType?: string): Manifest {
  const json = parseObject(bytes, `manifest of ${what}`);
  const mediaType = typeof json.mediaType === 'string' ? json.mediaType : (contentType ?? guessType(json));
  refuseSchema1(json, mediaType, what);
  if (isIndexType(mediaType) && Array.isArray(json.manifests)) {
    return { kind: 'index', mediaType, manifests: json.manifests.map((one) => toDescriptor(one, what)) };
  }
  if (!isManifestType(mediaType) || !Array.isArray(json.layers)) {
    throw imageError(
      'image/unsupported-manifest',
      `${what}: expected an image manifest or index, got ${JSON.stringify(mediaType)}`,
      {
        hint: 'it is perhaps an artifact (a chart, a signature), not an image',
      },
    );
  }
  const layers = json.layers.map((one) => toDescriptor(one, what));
  for (const layer of layers) checkLayerType(layer, what);
  return { kind: 'image', mediaType, config: checkConfigType(toDescriptor(json.config, what), what), layers };
}

/** Parses an image config. The bytes are what the image hash is the digest of. */
export function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  const json = parseObject(bytes, `config of ${what}`);
  const rootfs = json.rootfs;
  const diffIds = isJsonObject(rootfs) ? rootfs.diff_ids : undefined;
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === 'string' && isDigest(id))) {
    throw badManifest(`config of ${what}: expected rootfs.diff_ids, an array of digests`);
  }
  for (const field of ['os', 'architecture']) {
    if (typeof json[field] !== 'string') throw badManifest(`config of ${what}: expected a text in ${field}`);
  }
  return json as unknown as ImageConfig;
}

export const badManifest = (message: string) =>
  imageError('image/bad-manifest', message, {
    hint: 'the image is damaged or was made by a broken tool: have it pushed again',
  });

function parseObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw badManifest(`${what}: no JSON (${(error as Error).message})`);
  }
  if (!isJsonObject(json)) throw badManifest(`${what}: expected a JSON object`);
  return json;
}

/** OCI leaves mediaType out of index and manifest now and then; their fields tell them apart. */
const guessType = (json: Record<string, unknown>): string =>
  Array.isArray(json.manifests) ? mediaTypes.ociIndex : Array.isArray(json.layers) ? mediaTypes.ociManifest : '';

function refuseSchema1(json: Record<string, unknown>, mediaType: string, what: string): void {
  if (json.schemaVersion !== 1 && !mediaType.includes('distribution.manifest.v1')) return;
  throw imageError('image/unsupported-manifest', `${what}: expected manifest schema 2 or OCI, got Docker's schema 1`, {
    hint: 'registries stopped to take schema 1 in 2020: pull it with an old Docker and push it again',
  });
}

function toDescriptor(value: unknown, what: string): Descriptor {
  if (!isJsonObject(value))
    throw badManifest(`manifest of ${what}: expected a descriptor, got ${JSON.stringify(value)?.slice(0, 80)}`);
  const { mediaType, digest, size, platform, annotations } = value;
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw badManifest(`manifest of ${what}: expected a sha256 digest, got ${JSON.stringify(digest)?.slice(0, 120)}`);
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw badManifest(`manifest of ${what}: expected a size for ${digest}, got ${JSON.stringify(size)?.slice(0, 40)}`);
  }
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest: digest as Digest,
    size,
    ...(isPlatform(platform) && { platform }),
    ...(isJsonObject(annotations) && { annotations: annotations as Record<string, string> }),
  };
}

const isPlatform = (value: unknown): value is Platform =>
  isJsonObject(value) && typeof value.os === 'string' && typeof value.architecture === 'string';

function checkLayerType({ mediaType, digest }: Descriptor, what: string): void {
  if (layerCompression(mediaType)) return;
  if (isForeignLayer(mediaType)) {
    throw imageError('image/unsupported-manifest', `${what}: layer ${digest} is foreign (${mediaType})`, {
      hint: 'foreign layers are not in the registry; they occur in Windows images, which cannot run here',
    });
  }
  throw imageError(
    'image/unsupported-manifest',
    `${what}: layer ${digest} has the media type ${JSON.stringify(mediaType)}`,
    {
      hint: 'layers are tar, tar+gzip or tar+zstd; what has others is no container image',
    },
  );
}

function checkConfigType(config: Descriptor, what: string): Descriptor {
  if (config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig) return config;
  throw imageError(
    'image/unsupported-manifest',
    `${what}: its config has the media type ${JSON.stringify(config.mediaType)}`,
    {
      hint: 'it is an artifact (a chart, a signature, a SIF), not a container image',
    },
  );
}
