import type { Readable } from 'node:stream';
import { HallmarkError } from '../../core/errors.ts';
import { imageError } from '../errors.ts';
import type { Descriptor, Layer } from '../model.ts';
import { readableFrom, verified } from '../streams.ts';
import { toNetworkError } from './errors.ts';
import type { HttpResponse, RegistryEndpoint } from './port.ts';
import { type RegistrySession, type RetryListener, type RetryPolicy, retryLine } from './session.ts';

/** Where the blobs of one repository come from. */
export interface BlobSource {
  readonly session: RegistrySession;
  /** Where the manifest was found first, then the others. */
  readonly endpoints: readonly RegistryEndpoint[];
  readonly policy: RetryPolicy;
  /** Longest wait for the next bytes of a body. */
  readonly stallTimeoutMs: number;
  readonly onRetry?: RetryListener;
}

/** A blob of a registry: streamed, taken up again after a cut, moved on to the next endpoint where one fails, verified. */
export function openRegistryBlob(source: BlobSource, descriptor: Descriptor): Pick<Layer, 'open' | 'openFrom'> {
  const what = `blob ${descriptor.digest}`;
  return {
    open: async (signal) =>
      readableFrom((stop) => verified(readFrom(source, descriptor, 0, stop), descriptor, what), signal),
    openFrom: async (offset, signal): Promise<Readable> =>
      readableFrom((stop) => readFrom(source, descriptor, offset, stop), signal),
  };
}

/** The bytes from `offset` to the descriptor's size. Each cut that came after some progress starts the count of tries anew. */
async function* readFrom(
  source: BlobSource,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let at = offset;
  let failures = 0;
  while (at < descriptor.size) {
    const response = await requestFrom(source, descriptor, at, signal);
    const start = at;
    try {
      for await (const chunk of skipTo(response, at, descriptor, source.stallTimeoutMs)) {
        at += chunk.length;
        yield chunk;
      }
      if (at >= descriptor.size) return;
      throw cutShort(descriptor, at);
    } catch (error) {
      const final =
        error instanceof HallmarkError ? error : toNetworkError(error, `blob ${descriptor.digest}`, response.url.host);
      failures = at > start ? 1 : failures + 1;
      if (!(final instanceof HallmarkError) || !final.retryable || failures > source.policy.retries) throw final;
      source.onRetry?.(retryLine(final, pauseMs(failures)));
    } finally {
      response.body.destroy();
    }
    await source.policy.sleep(pauseMs(failures), signal);
  }
}

const pauseMs = (failures: number): number => Math.min(8000, 250 * 2 ** failures);

async function requestFrom(
  source: BlobSource,
  { digest, size }: Descriptor,
  at: number,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const headers: Record<string, string> = at > 0 ? { range: `bytes=${at}-${size - 1}` } : {};
  let last: unknown;
  for (const endpoint of source.endpoints) {
    const path = `${endpoint.repository}/blobs/${digest}`;
    try {
      return await source.session({
        endpoint,
        method: 'GET',
        path,
        headers,
        signal,
        what: `blob ${digest} of ${endpoint.repository}`,
        ...(source.onRetry && { onRetry: source.onRetry }),
      });
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  throw last;
}

/** The body from `at` on. A server may ignore Range (RFC 9110 section 14.2) and send the whole. */
async function* skipTo(
  response: HttpResponse,
  at: number,
  descriptor: Descriptor,
  stallTimeoutMs: number,
): AsyncGenerator<Uint8Array> {
  const isPartial = response.status === 206;
  if (isPartial && !`${response.headers['content-range']}`.startsWith(`bytes ${at}-`)) {
    throw imageError(
      'image/registry-error',
      `blob ${descriptor.digest}: asked for bytes from ${at}, got ${response.headers['content-range']}`,
      {
        hint: 'the registry or a proxy before it does not do ranges right',
      },
    );
  }
  let skip = isPartial ? 0 : at;
  for await (const chunk of withStallTimeout(response.body, stallTimeoutMs)) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

async function* withStallTimeout(body: Readable, timeoutMs: number): AsyncGenerator<Uint8Array> {
  const stalled = () =>
    body.destroy(
      imageError('image/registry-unavailable', `no bytes for ${timeoutMs / 1000} s`, {
        retryable: true,
        hint: 'check the network',
      }),
    );
  let timer = setTimeout(stalled, timeoutMs);
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk as Uint8Array;
      timer = setTimeout(stalled, timeoutMs);
    }
  } finally {
    clearTimeout(timer);
  }
}

const cutShort = ({ digest, size }: Descriptor, at: number) =>
  imageError('image/registry-unavailable', `blob ${digest}: the connection ended after ${at} of ${size} bytes`, {
    hint: 'try again; a proxy on the way may cut long answers',
    retryable: true,
  });
