import { imageError } from '../errors.ts';
import { type Manifest, parseManifest } from '../manifest.ts';
import type { Descriptor, Platform } from '../model.ts';
import { choosePlatform, formatPlatform, hostPlatform } from '../platform.ts';
import { formatReference, type ImageReference } from '../reference.ts';
import { type Found, findManifest, type Lookup, readManifest } from './find-manifest.ts';
import type { PullPlan } from './model.ts';

/** An index may name indexes; deeper than this nobody nests them. */
const maxIndexDepth = 4;

export interface PlanOptions {
  /** This machine's unless said. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
}

/** A plan, and where what it names can be asked for. */
export interface Planned {
  readonly plan: PullPlan;
  /** What the name pointed to, and where its blobs can be asked for. */
  readonly found: Found;
}

/** Goes from the name to the manifest of the platform, through as many indexes as there are. */
export async function planPull(
  lookup: Lookup,
  reference: ImageReference,
  { platform, signal }: PlanOptions,
): Promise<Planned> {
  const found = await findManifest(lookup, reference, 'GET', signal);
  const what = formatReference(found.resolved.reference);
  let manifest = parseManifest(found.bytes, what, found.resolved.descriptor.mediaType);
  let manifestDigest = found.resolved.digest;
  for (let depth = 0; manifest.kind === 'index'; depth += 1) {
    const chosen = choose(manifest, platform ?? hostPlatform(), what, depth);
    const bytes = await readManifest(lookup, found.endpoint, chosen.digest, what, signal);
    manifest = parseManifest(bytes, what, chosen.mediaType);
    manifestDigest = chosen.digest;
  }
  const { config, layers } = manifest;
  const distinct = new Map([config, ...layers].map((one) => [one.digest, one.size]));
  const sizeBytes = [...distinct.values()].reduce((total, size) => total + size, 0);
  return { found, plan: { ...found.resolved, manifestDigest, imageHash: config.digest, config, layers, sizeBytes } };
}

function choose(
  index: Extract<Manifest, { kind: 'index' }>,
  platform: Platform,
  what: string,
  depth: number,
): Descriptor {
  const chosen = choosePlatform(index.manifests, platform);
  if (chosen && depth < maxIndexDepth) return chosen;
  const available = index.manifests.flatMap((one) => (one.platform ? [formatPlatform(one.platform)] : []));
  throw imageError('image/no-platform', `${what}: no image for ${formatPlatform(platform)}`, {
    hint:
      depth < maxIndexDepth
        ? `it exists for ${[...new Set(available)].join(', ') || 'none'}`
        : 'its indexes are nested too deep',
  });
}
