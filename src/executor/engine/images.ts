import type { Readable } from 'node:stream';
import { createSharedTasks } from '../../core/concurrency.ts';
import { planArchive, writeArchive } from '../../image/archive/write.ts';
import type { Image } from '../../image/model.ts';
import { executorError } from '../errors.ts';
import type { ExecutorName, LoadableImage, LoadedImage } from '../port.ts';
import { answerMs, callCli, type EngineCli, toLine } from './cli.ts';

/** Loads images by id into an engine that has `image inspect` and `load`. Concurrent calls for one image share the work. */
export function createImageLoader(executor: ExecutorName, cli: EngineCli) {
  const shared = createSharedTasks<string>();
  return async ({ image }: LoadableImage, signal?: AbortSignal): Promise<LoadedImage> => {
    const reference = await shared(image.imageHash, (stop) => ensureImage(cli, image, stop), signal);
    const { config } = image.config;
    return {
      executor,
      reference,
      environment: config?.Env ?? [],
      workingDir: config?.WorkingDir || '/',
      entrypoint: config?.Entrypoint ?? [],
    };
  };
}

async function ensureImage(cli: EngineCli, image: Image, signal: AbortSignal): Promise<string> {
  const found = await findImage(cli, image);
  if (found !== undefined) return found;
  const { exitCode, stderr } = await callCli(cli, ['load'], { input: await openOwnArchive(image, signal), signal });
  if (exitCode !== 0) {
    throw executorError(
      /no space left/i.test(stderr) ? 'executor/no-space' : 'executor/load-failed',
      `${cli.program} cannot load the image ${image.imageHash}: ${toLine(stderr)}`,
      { hint: 'look at the message; it comes from the engine' },
    );
  }
  const loaded = await findImage(cli, image);
  if (loaded !== undefined) return loaded;
  throw executorError(
    'executor/load-failed',
    `${cli.program} loaded the image ${image.imageHash} and does not have it`,
    {
      hint: 'check the version of the engine',
    },
  );
}

/**
 * Under a name of ours alone: loading the names that the archive has would take them from images that the user has by now.
 * With no name at all the image would go with the next `image prune`.
 */
async function openOwnArchive(image: Image, signal: AbortSignal): Promise<Readable> {
  return writeArchive(await planArchive(image, [toOwnTag(image)], signal), signal);
}

const toOwnTag = ({ imageHash }: Image): string => `localhost/hallmark:${imageHash.slice('sha256:'.length)}`;

/** By its hash; by our name in an engine on containerd's store, which gives images another id. */
async function findImage(cli: EngineCli, image: Image): Promise<string | undefined> {
  for (const reference of [image.imageHash, toOwnTag(image)]) if (await hasImage(cli, reference)) return reference;
  return undefined;
}

export async function hasImage(cli: EngineCli, reference: string): Promise<boolean> {
  const args = ['image', 'inspect', '--format', 'x', reference];
  return (await callCli(cli, args, { timeoutMs: answerMs })).exitCode === 0;
}
