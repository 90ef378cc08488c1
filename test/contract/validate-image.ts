import { imageError } from '../../src/image/errors.ts';
import { decompressLayer } from '../../src/image/layers/decompress.ts';
import { badManifest, parseConfig } from '../../src/image/manifest.ts';
import type { Image, Layer } from '../../src/image/model.ts';
import { digestOf, verified } from '../../src/image/streams.ts';

/**
 * What every source of images must pass: the image hash is the digest of the config, there is a layer for each DiffID, and each
 * layer's bytes have the descriptor's digest and size and unpack to the DiffID. Reads every layer twice.
 */
export async function validateImage(image: Image, signal?: AbortSignal): Promise<void> {
  const what = `image ${image.imageHash}`;
  const got = digestOf(image.configBytes);
  if (got !== image.imageHash) {
    throw imageError('image/digest-mismatch', `${what}: its config has the digest ${got}`, {
      hint: 'the image was modified',
    });
  }
  const diffIds = parseConfig(image.configBytes, what).rootfs.diff_ids;
  if (diffIds.length !== image.layers.length) {
    throw badManifest(`${what}: expected ${diffIds.length} layers, got ${image.layers.length}`);
  }
  for (const [index, layer] of image.layers.entries()) {
    if (layer.diffId !== diffIds[index]) {
      throw imageError(
        'image/digest-mismatch',
        `${what}, layer ${index}: expected the diff id ${diffIds[index]}, got ${layer.diffId}`,
      );
    }
    await validateLayer(layer, signal);
  }
}

async function validateLayer(layer: Layer, signal?: AbortSignal): Promise<void> {
  const { digest } = layer.descriptor;
  for await (const _ of verified(await layer.open(signal), layer.descriptor, `layer ${digest}`));
  for await (const _ of await decompressLayer(layer, signal ? { signal } : {}));
}
