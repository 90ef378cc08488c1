import type { Got } from 'got';
import { cwlError } from '../../cwl/errors.ts';
import { InnerAddressError } from './address.ts';
import { type AddressRules, checkUrl, createClient, privateHint, refusalOf } from './client.ts';

export interface AskOptions extends AddressRules {
  /** How long a server may be silent. */
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

export interface Question {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the question, or the answer that is under way. */
  readonly signal?: AbortSignal;
}

/** Asks servers over HTTP and gives their bytes as they are. Fails with `cwl/fetch-refused` or the system's own errors. */
export function createAsker(options: AskOptions): (url: string, question: Question) => Promise<Answer> {
  const { timeoutMs } = options;
  let client: Promise<Got> | undefined;
  return async (uri, { method, headers, signal }) => {
    const url = checkUrl(uri, options);
    client ??= createClient(options, {
      timeout: { connect: Math.min(10_000, timeoutMs), response: timeoutMs, socket: timeoutMs },
      retry: { limit: 0 },
      decompress: false,
      throwHttpErrors: false,
    });
    const stream = (await client).stream(url, { method, headers, ...(signal && { signal }) });
    const answered = new Promise<Answer>((resolve, reject) => {
      stream.once('response', ({ statusCode, headers: said }: { statusCode: number; headers: Answer['headers'] }) => {
        resolve({ status: statusCode, headers: said, body: stream, discard: () => void stream.destroy() });
      });
      // Kept for good: an answer that is discarded may fail later, and who reads it is told by its body.
      stream.on('error', reject);
    });
    return answered.catch((error: unknown) => {
      throw toRefusal(error, url) ?? error;
    });
  };
}

function toRefusal(error: unknown, url: URL): unknown {
  if ((error as { cause?: unknown }).cause instanceof InnerAddressError)
    return cwlError('cwl/fetch-refused', `fetching from ${url.host} is not allowed: it is a private address`, {
      hint: privateHint,
    });
  return refusalOf(error);
}
