import type { Readable } from 'node:stream';
import { createSharedTasks } from '../../core/concurrency.ts';
import { planArchive, writeArchive } from '../../image/archive/write.ts';
import type { Image } from '../../image/model.ts';
import { executorError } from '../errors.ts';
import type { ExecutorName, LoadableImage, LoadedImage } from '../port.ts';
import { answerMs, callCli, type EngineCli, toLine } from './cli.ts';

export interface ImagesOptions {
  /** Asks for an image once. Not for an engine with a daemon: a question before each container finds one that is away, and waits for it. */
  readonly remembers: boolean;
}

/** The images of an engine that has `image inspect` and `load`. */
export interface EngineImages {
  /** By id. Concurrent calls for one image share the work; a remembered image is taken to be there until `isGone` says otherwise. */
  load(image: LoadableImage, signal?: AbortSignal): Promise<LoadedImage>;
  /** Asks the engine. One that does not answer has it. */
  isGone(reference: string): Promise<boolean>;
}

export function createImages(executor: ExecutorName, cli: EngineCli, { remembers }: ImagesOptions): EngineImages {
  const shared = createSharedTasks<string>();
  const seen = new Map<string, string>();
  const ensure = async (image: Image, signal: AbortSignal): Promise<string> => {
    const reference = await ensureImage(cli, image, signal);
    if (remembers) seen.set(image.imageHash, reference);
    return reference;
  };
  return {
    async load({ image }, signal) {
      const known = seen.get(image.imageHash);
      const reference = known ?? (await shared(image.imageHash, (stop) => ensure(image, stop), signal));
      const { config } = image.config;
      return {
        executor,
        reference,
        environment: config?.Env ?? [],
        workingDir: config?.WorkingDir || '/',
        entrypoint: config?.Entrypoint ?? [],
      };
    },
    async isGone(reference) {
      const isGone = !(await hasImage(cli, reference).catch(() => true));
      if (isGone) for (const [hash, known] of seen) if (known === reference) seen.delete(hash);
      return isGone;
    },
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

async function hasImage(cli: EngineCli, reference: string): Promise<boolean> {
  const args = ['image', 'inspect', '--format', 'x', reference];
  return (await callCli(cli, args, { timeoutMs: answerMs })).exitCode === 0;
}
