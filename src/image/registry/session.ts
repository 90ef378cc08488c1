import { setTimeout as delay } from 'node:timers/promises';
import { untilAborted } from '../../core/concurrency.ts';
import { HallmarkError, isHallmarkError, toMessage } from '../../core/errors.ts';
import { imageError } from '../errors.ts';
import { dockerHub } from '../reference.ts';
import type { Authorizer } from './auth.ts';
import { toNetworkError, toResponseError } from './errors.ts';
import type { HttpResponse, HttpSend, RegistryEndpoint } from './port.ts';

export interface RegistryRequest {
  readonly endpoint: RegistryEndpoint;
  readonly method: 'GET' | 'HEAD';
  /** Below `/v2/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For messages: what is asked for. */
  readonly what: string;
  readonly signal?: AbortSignal;
  /** Told, before each pause, what went wrong. */
  readonly onRetry?: RetryListener;
}

/** One line: what failed and when it is tried again. */
export type RetryListener = (line: string) => void;

export interface RetryPolicy {
  /** Tries after the first one. */
  readonly retries: number;
  /** Tries after the first one where no connection can be made at all. */
  readonly connectRetries: number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const defaultRetryPolicy: RetryPolicy = {
  retries: 4,
  connectRetries: 2,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {});
  },
};

/** Asks a registry and gives its success (2xx) or an error that says why not; retries where that helps. */
export type RegistrySession = (request: RegistryRequest) => Promise<HttpResponse>;

const maxRedirects = 8;
const maxPauseMs = 30_000;

/** Follows redirects, answers challenges and tries again as `policy` says. Credentials go to the endpoint's own origin only. */
export function createSession(send: HttpSend, authorizer: Authorizer, policy: RetryPolicy): RegistrySession {
  const origins = createOrigins(send);
  return async (request) => {
    for (let attempt = 0; ; attempt += 1) {
      let pauseMs = Math.min(8000, 250 * 2 ** attempt) * (0.75 + Math.random() / 2);
      try {
        const origin = await untilAborted(origins.find(request.endpoint), request.signal);
        const response = await requestOnce({ send, authorizer, origin, request });
        if (response.status >= 200 && response.status < 300) return response;
        pauseMs = retryAfterMs(response) ?? pauseMs;
        throw await toResponseError(response, request.what);
      } catch (error) {
        const final =
          error instanceof HallmarkError ? error : toNetworkError(error, request.what, request.endpoint.registry);
        if (attempt >= triesAfter(final, policy) || pauseMs > maxPauseMs) throw final;
        request.onRetry?.(retryLine(final, pauseMs));
      }
      await policy.sleep(pauseMs, request.signal);
    }
  };
}

/** How often to try again after `error`. */
function triesAfter(error: unknown, { retries, connectRetries }: RetryPolicy): number {
  if (isHallmarkError(error, 'image/registry-unreachable')) return connectRetries;
  return error instanceof HallmarkError && error.retryable ? retries : 0;
}

export const retryLine = (error: unknown, pauseMs: number): string =>
  `${toMessage(error)}; trying again in ${(pauseMs / 1000).toFixed(1)} s`;

interface Exchange {
  readonly send: HttpSend;
  readonly authorizer: Authorizer;
  readonly origin: URL;
  readonly request: RegistryRequest;
}

/** One exchange: with the header known to work, and once more with the answer to a challenge of the registry itself. */
async function requestOnce(exchange: Exchange): Promise<HttpResponse> {
  const { authorizer, request, origin } = exchange;
  const first = await followRedirects(exchange, authorizer.known(request.endpoint));
  if (first.status !== 401 || first.url.origin !== origin.origin) return first;
  const header = await authorizer.answer(request.endpoint, first, request.signal);
  if (header === undefined) return first;
  first.body.destroy();
  return followRedirects(exchange, header);
}

/** Follows redirects. Credentials go to the registry's own origin only; a secure connection is not left for a plain one. */
async function followRedirects({ send, origin, request }: Exchange, authorization?: string): Promise<HttpResponse> {
  const { endpoint, method, signal, what } = request;
  let url = new URL(`/v2/${request.path}`, origin);
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const own = authorization !== undefined && url.origin === origin.origin ? { authorization } : {};
    const headers = { ...request.headers, ...own };
    const response = await send({ method, url, headers, insecure: endpoint.insecure, ...(signal && { signal }) });
    const location = response.headers.location;
    if (![301, 302, 303, 307, 308].includes(response.status) || typeof location !== 'string') return response;
    response.body.destroy();
    url = toRedirect(location, url, request);
  }
  throw imageError('image/registry-error', `${what}: ${endpoint.registry} redirects more than ${maxRedirects} times`, {
    hint: 'the registry is set up in a circle',
  });
}

function toRedirect(location: string, from: URL, { endpoint, what }: RegistryRequest): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && (from.protocol === 'http:' || endpoint.insecure));
  if (url && isSafe) return url;
  throw imageError(
    'image/registry-error',
    `${what}: ${endpoint.registry} redirects to ${url?.protocol ?? 'no URL'}//${url?.host ?? ''}`,
    {
      hint: 'from https: only https: is followed; "insecure = true" in registries.conf allows more',
    },
  );
}

function retryAfterMs({ headers }: HttpResponse): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/**
 * Where each registry answers. One marked insecure is asked over https first and, where that gives no connection, over http.
 * The answer is shared, so it is no single request's to cancel.
 */
function createOrigins(send: HttpSend) {
  const known = new Map<string, Promise<URL>>();
  const probe = async (host: string, insecure: boolean): Promise<URL> => {
    const secure = new URL(`https://${host}`);
    if (!insecure) return secure;
    const ping = async (origin: URL) => {
      const response = await send({ method: 'GET', headers: {}, insecure, url: new URL('/v2/', origin) });
      response.body.destroy();
      return origin;
    };
    return ping(secure).catch(() => ping(new URL(`http://${host}`)));
  };
  return {
    find({ registry, insecure }: RegistryEndpoint): Promise<URL> {
      const host = registry === dockerHub ? 'registry-1.docker.io' : registry;
      const key = `${host} ${insecure}`;
      const origin = known.get(key) ?? probe(host, insecure);
      known.set(key, origin);
      origin.catch(() => known.delete(key));
      return origin;
    },
  };
}
