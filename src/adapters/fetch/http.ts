import type { Got } from 'got';
import { toMessage } from '../../core/errors.ts';
import { cwlError } from '../../cwl/errors.ts';
import type { Fetcher } from '../../cwl/port.ts';
import { InnerAddressError } from './address.ts';
import { type AddressRules, checkUrl, createClient, privateHint, refusalOf } from './client.ts';

export interface HttpFetcherOptions extends AddressRules {
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/** Reads `http:` and `https:` URIs; credentials in them are refused. The HTTP library is loaded with the first request. */
export function createHttpFetcher(options: HttpFetcherOptions = {}): Fetcher {
  let client: Promise<Got> | undefined;
  const open = (): Promise<Got> => {
    client ??= createClient(options, toClientOptions(options));
    return client;
  };
  return {
    async fetchText(uri) {
      const url = checkUrl(uri, options);
      const got = await open();
      return readText(got, url, options.maxBytes ?? defaultMaxBytes);
    },
    async exists(uri) {
      try {
        const url = checkUrl(uri, options);
        const response = await (await open()).head(url, { throwHttpErrors: false });
        return response.ok;
      } catch {
        return false;
      }
    },
  };
}

const toClientOptions = ({ timeoutMs = 30_000 }: HttpFetcherOptions) => ({
  timeout: { request: timeoutMs, connect: Math.min(10_000, timeoutMs) },
  retry: { limit: 2 },
  headers: { accept: 'application/yaml, application/json, text/plain, */*' },
});

async function readText(got: Got, url: URL, maxBytes: number): Promise<string> {
  try {
    const request = got.stream(url);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) {
        request.destroy();
        throw cwlError('cwl/fetch-refused', `${url.href} is too large: expected at most ${maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    throw toFetchError(error, url);
  }
}

function toFetchError(error: unknown, url: URL): unknown {
  const own = refusalOf(error);
  if (own) return own;
  const chain = [error, (error as { cause?: unknown }).cause];
  if (chain.some((item) => item instanceof InnerAddressError)) {
    return cwlError('cwl/fetch-refused', `fetching ${url.href} is not allowed: ${toMessage(chain[1] ?? error)}`, {
      hint: privateHint,
    });
  }
  const status = (error as { response?: { statusCode?: number } }).response?.statusCode;
  if (status === 404 || status === 410)
    return cwlError('cwl/not-found', `nothing at ${url.href}: the server answers ${status}`);
  const reason = status === undefined ? toMessage(error) : `the server answers ${status}`;
  const retryable = status === undefined || status >= 500;
  return cwlError('cwl/fetch-failed', `cannot fetch ${url.href}: ${reason}`, { cause: error, retryable });
}
