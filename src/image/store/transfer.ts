import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { HallmarkError, isHallmarkError, toMessage } from '../../core/errors.ts';
import type { Digest } from '../../core/ids.ts';
import { imageError } from '../errors.ts';
import type { Descriptor } from '../model.ts';
import { checkBytes } from '../streams.ts';
import { claimPartial, releasePartial } from './partials.ts';
import type { BlobProvider } from './provider.ts';

export interface TransferRequest {
  readonly descriptor: Descriptor;
  /** Asked in this order. */
  readonly providers: readonly BlobProvider[];
  readonly partialDir: string;
  /** Where the whole, verified file appears. */
  readonly target: string;
  readonly signal: AbortSignal;
  /** Told of bytes as they come, of those that an earlier try left, and, as a negative number, of those that have to come again. */
  readonly onBytes?: OnBytes;
}

export type OnBytes = (count: number) => void;

/**
 * Brings one blob to `target`. What an earlier try left is taken up where it ended. The file appears whole, verified and by one
 * rename; a failure or a crash leaves only the partial file.
 */
export async function transferBlob(request: TransferRequest): Promise<void> {
  const { descriptor, partialDir, target } = request;
  const path = await writing(descriptor, async () => {
    await mkdir(partialDir, { recursive: true });
    await mkdir(dirname(target), { recursive: true });
    return claimPartial(partialDir, hexOf(descriptor.digest));
  });
  const file = await openPartial(path, request.onBytes);
  try {
    await fill(request, file);
    await writing(descriptor, () => file.handle.datasync());
  } catch (error) {
    // A full disk needs its room.
    const isKept = file.size > 0 && !isHallmarkError(error, 'image/cache-failed');
    await (isKept ? releasePartial(path) : rm(path, { force: true }));
    throw error;
  } finally {
    await file.handle.close();
  }
  await writing(descriptor, () => rename(path, target));
}

const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

export const blobPath = (cacheDir: string, digest: Digest): string => join(cacheDir, 'blobs', 'sha256', hexOf(digest));

interface Partial {
  readonly handle: FileHandle;
  readonly onBytes: OnBytes;
  hash: Hash;
  size: number;
}

async function openPartial(path: string, onBytes: OnBytes = () => {}): Promise<Partial> {
  const partial = { handle: await open(path, 'a+'), onBytes, hash: createHash('sha256'), size: 0 };
  for await (const chunk of createReadStream(path)) count(partial, chunk as Buffer);
  return partial;
}

function count(partial: Partial, bytes: Buffer): void {
  partial.hash.update(bytes);
  partial.size += bytes.length;
  partial.onBytes(bytes.length);
}

async function startOver(partial: Partial): Promise<void> {
  await partial.handle.truncate(0);
  partial.onBytes(-partial.size);
  partial.hash = createHash('sha256');
  partial.size = 0;
}

/** Asks each provider in turn; each goes on where the one before it stopped, and starts anew where the sum was wrong. */
async function fill(request: TransferRequest, partial: Partial): Promise<void> {
  const failures: { name: string; error: unknown }[] = [];
  for (const provider of request.providers) {
    try {
      if (await fillFrom(provider, request, partial)) return;
    } catch (error) {
      request.signal.throwIfAborted();
      if (isHallmarkError(error, 'image/cache-failed')) throw error;
      failures.push({ name: provider.name, error });
    }
  }
  throw missing(request, failures);
}

/** True when the blob is whole; false where the provider does not have it. */
async function fillFrom(provider: BlobProvider, request: TransferRequest, partial: Partial): Promise<boolean> {
  const { descriptor } = request;
  if (partial.size > descriptor.size || (partial.size > 0 && !provider.openFrom)) await startOver(partial);
  const wasEmpty = partial.size === 0;
  const isThere = await append(provider, request, partial);
  if (!isThere) return false;
  try {
    checkBytes(
      { digest: `sha256:${partial.hash.copy().digest('hex')}` as Digest, size: partial.size },
      descriptor,
      `blob ${descriptor.digest}`,
    );
    return true;
  } catch (error) {
    await startOver(partial);
    // What was there before may be what is wrong.
    if (wasEmpty) throw error;
    return fillFrom(provider, request, partial);
  }
}

async function append(
  provider: BlobProvider,
  { descriptor, signal }: TransferRequest,
  partial: Partial,
): Promise<boolean> {
  if (partial.size === descriptor.size && partial.size > 0) return true;
  const offset = partial.size;
  const opening = offset > 0 ? provider.openFrom?.(descriptor, offset, signal) : provider.open(descriptor, signal);
  const stream: Readable | undefined = await opening;
  if (!stream) return false;
  for await (const chunk of addAbortSignal(signal, stream) as AsyncIterable<Buffer>) {
    await writing(descriptor, () => partial.handle.appendFile(chunk));
    count(partial, chunk);
    if (partial.size > descriptor.size) break;
  }
  return true;
}

/** Fails with `image/cache-failed` where the disk does. */
async function writing<T>({ digest }: Descriptor, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const isFull = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
    throw imageError('image/cache-failed', `blob ${digest}: cannot write it to the layer cache: ${toMessage(error)}`, {
      cause: error,
      hint: isFull ? 'free some space on the disk of the layer cache' : 'check the folder of the layer cache',
    });
  }
}

/** One failure speaks for itself; of several the names and reasons are listed. */
function missing({ descriptor, providers }: TransferRequest, failures: readonly { name: string; error: unknown }[]) {
  const [only, second] = failures;
  if (only && !second && only.error instanceof HallmarkError) return only.error;
  const asked = providers.map(({ name }) => {
    const failure = failures.find((one) => one.name === name);
    return `${name} (${failure ? toMessage(failure.error) : 'does not have it'})`;
  });
  return imageError(
    'image/blob-missing',
    `blob ${descriptor.digest} is nowhere to be had; asked ${asked.join(', ') || 'nobody'}`,
    {
      cause: failures.at(-1)?.error,
      hint: 'pull the image again, or bring back the collection or registry that had it',
    },
  );
}
