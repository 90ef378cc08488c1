import { type Container, hostImage } from '../api/records.ts';
import { isPortableDataHash } from '../core/ids.ts';
import type { Executor, LoadedImage } from '../executor/port.ts';
import { crunchError } from './errors.ts';
import type { Life } from './life.ts';

const hostItself: LoadedImage = {
  executor: 'host',
  reference: hostImage,
  environment: [],
  workingDir: '',
  entrypoint: [],
};

/** Gives the executor the image of the container, unless it is the host itself. Fails with `crunch/bad-image` and the executor's codes. */
export async function loadImage(executor: Executor, { container, deps, logs, signal }: Life): Promise<LoadedImage> {
  logs.line(`executor: ${await executor.runtime()}`);
  if (container.container_image === hostImage) return hostItself;
  const image = await deps.images.open(toImageHash(container), signal);
  logs.line(`image: ${image.image.imageHash} in ${container.container_image}`);
  return executor.loadImage(image, signal);
}

function toImageHash(container: Container) {
  const { container_image: image } = container;
  if (isPortableDataHash(image)) return image;
  throw crunchError(
    'crunch/bad-image',
    `expected a portable data hash as container_image, got ${JSON.stringify(image)}`,
    {
      hint: 'resolve the image to its collection before submitting the request',
      where: { container: container.uuid, field: 'container_image' },
    },
  );
}
