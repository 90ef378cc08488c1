import type { LoadableImage } from '../../src/executor/port.ts';
import { planArchive, writeArchive } from '../../src/image/archive/write.ts';
import { makeImage } from '../../src/image/make-image.ts';
import type { ImageConfig, Layer } from '../../src/image/model.ts';

/** An image of these layers, in the form that crunch-run hands to an executor. */
export function toLoadableImage(layers: readonly Layer[], config: ImageConfig['config'] = {}): LoadableImage {
  const bytes = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  );
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const image = makeImage(bytes, descriptors, 'test image', (_descriptor, index) => layers[index] as Layer);
  return {
    image,
    openArchive: async (signal) => writeArchive(await planArchive(image, []), signal),
  };
}
