import type { ClusterApi } from '../api/port.ts';
import type { ContainerRequest } from '../api/records.ts';
import { isPortableDataHash } from '../core/ids.ts';
import { toCanonicalJson } from '../core/json.ts';
import { readCollection } from './collections.ts';
import { explainMounts } from './explain-mounts.ts';

/**
 * Why the work of `now` is not that of `before`: the field that differs, in words; undefined where none does. Amounts (ram,
 * vcpus) are no part of the work (design 4.6).
 */
export async function explainDifference(
  api: ClusterApi,
  before: ContainerRequest,
  now: ContainerRequest,
): Promise<string | undefined> {
  const image = await explainImage(api, before.container_image, now.container_image);
  if (image) return image;
  if (toCanonicalJson(before.command) !== toCanonicalJson(now.command))
    return `command changed: ${firstChange(before.command, now.command)}`;
  const mount = await explainMounts(api, before.mounts, now.mounts);
  if (mount) return mount;
  for (const [name, value] of Object.entries(now.environment)) {
    if (before.environment[name] !== value) return `environment changed: ${name}`;
  }
  for (const field of ['environment', 'cwd', 'output_path', 'output_glob'] as const) {
    if (toCanonicalJson(before[field]) !== toCanonicalJson(now[field])) return `${field} changed`;
  }
  return undefined;
}

async function explainImage(api: ClusterApi, before: string, now: string): Promise<string | undefined> {
  if (before === now) return undefined;
  const [oldHash, newHash] = await Promise.all([imageHashOf(api, before), imageHashOf(api, now)]);
  return oldHash === newHash ? undefined : `image changed: ${oldHash} → ${newHash}`;
}

/** The first digits of the image hash that an image collection is named by. */
async function imageHashOf(api: ClusterApi, image: string): Promise<string> {
  if (!isPortableDataHash(image)) return image;
  const collection = await readCollection(api, image).catch(() => undefined);
  const name = [...(collection?.files.keys() ?? [])][0] ?? image;
  return /^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}\.tar$/.exec(name)?.[1] ?? image;
}

function firstChange(before: readonly string[], now: readonly string[]): string {
  const index = now.findIndex((word, position) => word !== before[position]);
  return index < 0 ? 'fewer arguments' : `${JSON.stringify(before[index] ?? '')} → ${JSON.stringify(now[index] ?? '')}`;
}
