import type { LookupFunction } from 'node:net';
import type { Got } from 'got';
import { toMessage } from '../../core/errors.ts';
import { cwlError } from '../../cwl/errors.ts';
import type { Fetcher } from '../../cwl/port.ts';
import { hostOf, InnerAddressError, isInnerAddress, lookupOuter } from './address.ts';

export interface HttpFetcherOptions {
  /** Also reads from this machine and private networks. */
  readonly allowPrivate?: boolean;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

const defaultMaxBytes = 64 * 1024 * 1024;
const privateHint = 'allow private addresses with --allow-private-network';

/** Reads `http:` and `https:` URIs; credentials in them are refused. The HTTP library is loaded with the first request. */
export function createHttpFetcher(options: HttpFetcherOptions = {}): Fetcher {
  let client: Promise<Got> | undefined;
  const open = (): Promise<Got> => {
    client ??= createClient(options);
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

async function createClient(options: HttpFetcherOptions): Promise<Got> {
  const { default: got } = await import('got');
  const timeoutMs = options.timeoutMs ?? 30_000;
  return got.extend({
    timeout: { request: timeoutMs, connect: Math.min(10_000, timeoutMs) },
    retry: { limit: 2 },
    maxRedirects: 5,
    headers: { accept: 'application/yaml, application/json, text/plain, */*' },
    hooks: { beforeRedirect: [({ url }) => void checkUrl(String(url), options)] },
    ...(!options.allowPrivate && { dnsLookup: outerLookup as never }),
  });
}

const outerLookup: LookupFunction = (hostname, { all, family }, callback) => {
  const wanted = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0;
  lookupOuter(hostname, wanted).then(
    (addresses) => {
      const [first] = addresses;
      if (all) callback(null, [...addresses]);
      else callback(null, first?.address ?? '', first?.family);
    },
    (error: NodeJS.ErrnoException) => callback(error, ''),
  );
};

function checkUrl(uri: string, options: HttpFetcherOptions): URL {
  const url = URL.parse(uri);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw cwlError('cwl/fetch-refused', `expected an http or https URL, got ${JSON.stringify(uri.slice(0, 200))}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw cwlError('cwl/fetch-refused', `URL for ${url.host} holds credentials, which documents may not`);
  }
  if (!options.allowPrivate && (isInnerAddress(hostOf(url)) || hostOf(url) === 'localhost')) {
    throw cwlError('cwl/fetch-refused', `fetching from ${url.host} is not allowed: it is a private address`, {
      hint: privateHint,
    });
  }
  return url;
}

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
  const chain = [error, (error as { cause?: unknown }).cause];
  const own = chain.find((item) => (item as { code?: string }).code?.startsWith('cwl/'));
  if (own) return own;
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
