import { createSingleFlight } from '../../core/concurrency.ts';
import { executorError } from '../errors.ts';
import type { ExecutorName, LoadableImage, LoadedImage } from '../port.ts';
import { callCli, type EngineCli, openFile, toLine } from './cli.ts';

/** Loads images by id into an engine that has `image inspect` and `load`. Concurrent calls for one image share the work. */
export function createImageLoader(executor: ExecutorName, cli: EngineCli) {
  const once = createSingleFlight<string>();
  return async (image: LoadableImage, signal?: AbortSignal): Promise<LoadedImage> => {
    const reference = await once(image.image.imageHash, () => ensureImage(cli, image, signal));
    const { config } = image.image.config;
    return {
      executor,
      reference,
      environment: config?.Env ?? [],
      workingDir: config?.WorkingDir || '/',
      entrypoint: config?.Entrypoint ?? [],
    };
  };
}

async function ensureImage(cli: EngineCli, image: LoadableImage, signal?: AbortSignal): Promise<string> {
  const { imageHash } = image.image;
  if (await hasImage(cli, imageHash)) return imageHash;
  const input = image.archivePath === undefined ? await image.openArchive(signal) : openFile(image.archivePath);
  const { exitCode, stdout, stderr } = await callCli(cli, ['load'], { input, ...(signal ? { signal } : {}) });
  if (exitCode !== 0) {
    throw executorError(
      /no space left/i.test(stderr) ? 'executor/no-space' : 'executor/load-failed',
      `${cli.program} cannot load the image ${imageHash}: ${toLine(stderr)}`,
      { hint: 'look at the message; it comes from the engine' },
    );
  }
  if (await hasImage(cli, imageHash)) return imageHash;
  // An engine on containerd's store names images by another digest and says which.
  const named = stdout.match(/Loaded image(?: ID)?: (\S+)/)?.[1];
  if (named !== undefined) return named;
  throw executorError('executor/load-failed', `${cli.program} loaded the image ${imageHash} and does not have it`, {
    hint: 'check the version of the engine',
  });
}

async function hasImage(cli: EngineCli, reference: string): Promise<boolean> {
  return (await callCli(cli, ['image', 'inspect', '--format', 'x', reference])).exitCode === 0;
}
