import type { Digest } from '../core/ids.ts';
import { badManifest, parseConfig } from './manifest.ts';
import type { Descriptor, Image, Layer } from './model.ts';
import { digestOf } from './streams.ts';

/** The view of one image from the bytes of its config and what its source knows of its layers, base first. */
export function makeImage(
  configBytes: Uint8Array,
  descriptors: readonly Descriptor[],
  what: string,
  toOpen: (descriptor: Descriptor, index: number) => Pick<Layer, 'open' | 'openFrom'>,
): Image {
  const config = parseConfig(configBytes, what);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== descriptors.length) {
    throw badManifest(`${what}: its config names ${diffIds.length} layers, its manifest ${descriptors.length}`);
  }
  const layers = descriptors.map((descriptor, index) => ({
    diffId: diffIds[index] as Digest,
    descriptor,
    ...toOpen(descriptor, index),
  }));
  return { imageHash: digestOf(configBytes), configBytes, config, layers };
}
