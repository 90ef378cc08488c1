import type { Image } from '../image/model.ts';
import type { ExecutorName, LoadedImage } from './port.ts';

/** What the config of an image says of its containers, beside the executor's own reference to it. */
export function toLoadedImage(executor: ExecutorName, reference: string, { config: { config } }: Image): LoadedImage {
  return {
    executor,
    reference,
    environment: config?.Env ?? [],
    workingDir: config?.WorkingDir || '/',
    entrypoint: config?.Entrypoint ?? [],
    ...(config?.User ? { user: config.User } : {}),
  };
}
