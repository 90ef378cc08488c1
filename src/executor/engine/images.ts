import type { Readable } from 'node:stream';
import { createSharedTasks } from '../../core/concurrency.ts';
import { planArchive, writeArchive } from '../../image/archive/write.ts';
import type { Image } from '../../image/model.ts';
import { executorError } from '../errors.ts';
import { toLoadedImage } from '../loaded-image.ts';
import type { ExecutorName, LoadableImage, LoadedImage } from '../port.ts';
import { answerMs, callCli, type EngineCli, toLine } from './cli.ts';

/** The images of an engine that has `image inspect` and `load`. */
export interface EngineImages {
  /** By id. Concurrent calls for one image share the work; one that was seen is taken to be there until `forget`. */
  load(image: LoadableImage, signal?: AbortSignal): Promise<LoadedImage>;
  /** Asks the engine. */
  look(reference: string): Promise<Look>;
  /** Every image is asked for again. */
  forget(): void;
}

/** Whether the engine has an image, or why it does not say. */
export type Look = 'here' | 'gone' | { readonly silence: string };

export function createImages(executor: ExecutorName, cli: EngineCli): EngineImages {
  const shared = createSharedTasks<string>();
  const seen = new Map<string, string>();
  const ensure = async (image: Image, signal: AbortSignal): Promise<string> => {
    const reference = await ensureImage(cli, image, signal);
    seen.set(image.imageHash, reference);
    return reference;
  };
  return {
    async load({ image }, signal) {
      const known = seen.get(image.imageHash);
      const reference = known ?? (await shared(image.imageHash, (stop) => ensure(image, stop), signal));
      return toLoadedImage(executor, reference, image);
    },
    look: (reference) => lookFor(cli, reference),
    forget: () => seen.clear(),
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
  for (const reference of [image.imageHash, toOwnTag(image)]) {
    const look = await lookFor(cli, reference);
    if (look === 'here') return reference;
    if (look !== 'gone') throw toSilent(cli, look.silence);
  }
  return undefined;
}

async function lookFor(cli: EngineCli, reference: string): Promise<Look> {
  const args = ['image', 'inspect', '--format', 'x', reference];
  const { exitCode, stderr } = await callCli(cli, args, { timeoutMs: answerMs });
  if (exitCode === 0) return 'here';
  return /cannot connect|error during connect|connection refused|daemon running/i.test(stderr)
    ? { silence: toLine(stderr) }
    : 'gone';
}

/** It may come back. */
export const toSilent = ({ program, hint }: EngineCli, words: string) =>
  executorError('executor/engine-lost', `${program} does not answer: ${words}`, { hint, retryable: true });
