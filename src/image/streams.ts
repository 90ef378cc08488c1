import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Digest } from '../core/ids.ts';
import { imageError } from './errors.ts';

/** What is known of a run of bytes before it is read. */
export interface ExpectedBytes {
  readonly digest: Digest;
  readonly size: number;
}

/** `sha256:` and the hex digest of `bytes`. */
export const digestOf = (bytes: Uint8Array): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

/**
 * A byte stream of what `generate` yields. The signal it is given aborts when the stream is destroyed or `signal` aborts, so
 * that a generator that waits for the network is let go at once.
 */
export function readableFrom(
  generate: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
  signal?: AbortSignal,
): Readable {
  const stop = new AbortController();
  const chunks = generate(stop.signal);
  const stream = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      nextChunk(chunks).then(
        (chunk) => this.push(chunk),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      signal?.removeEventListener('abort', onAbort);
      stop.abort(error ?? undefined);
      chunks.return(undefined).catch(() => {});
      done(error);
    },
  });
  // Who reads learns of an error by reading; one that nobody reads any more must not end the process.
  stream.on('error', () => {});
  const onAbort = () => stream.destroy(signal?.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return stream;
}

/** `readableFrom` over a stream, which is destroyed as soon as the new one is, read or not. */
export function transformed(
  source: Readable,
  generate: (source: Readable) => AsyncGenerator<Uint8Array>,
  signal?: AbortSignal,
): Readable {
  return readableFrom((stop) => {
    stop.addEventListener('abort', () => source.destroy(), { once: true });
    return generate(source);
  }, signal);
}

/** The next chunk that is not empty (an empty push would end the stream's asking for more), or null at the end. */
async function nextChunk(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array | null> {
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return null;
    if (value.length > 0) return value;
  }
}

/** Passes `source` on and fails with `image/blob-damaged` unless it is exactly the expected bytes. `what` names it. */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  expected: ExpectedBytes,
  what: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > expected.size) break;
    hash.update(chunk);
    yield chunk;
  }
  checkBytes({ digest: `sha256:${hash.digest('hex')}` as Digest, size }, expected, what);
}

/** Fails with `image/blob-damaged` where `got` is not what was expected. */
export function checkBytes(got: ExpectedBytes, expected: ExpectedBytes, what: string): void {
  const hint = 'the copy it came from is damaged; remove it or fetch it again from elsewhere';
  if (got.size !== expected.size) {
    const size = got.size > expected.size ? 'more' : `${got.size}`;
    throw imageError('image/blob-damaged', `${what}: expected ${expected.size} bytes, got ${size}`, { hint });
  }
  if (got.digest !== expected.digest) {
    throw imageError('image/blob-damaged', `${what}: expected ${expected.digest}, got ${got.digest}`, { hint });
  }
}

/** All bytes of a stream that must not be longer than `limitBytes`. */
export async function readBounded(
  source: AsyncIterable<Uint8Array>,
  limitBytes: number,
  tooLong: () => Error,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limitBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
