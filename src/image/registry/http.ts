import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isLoopback } from './loopback.ts';
import type { HttpRequest, HttpResponse, HttpSend } from './port.ts';

export interface HttpOptions {
  readonly userAgent?: string;
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in upper or lower case; obeyed from Node.js 24.5 on, but never for loopback. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
  /** Until a connection stands. */
  readonly connectTimeoutMs?: number;
  /** From the request to the first byte of the answer. */
  readonly responseTimeoutMs?: number;
}

/** Requests through got, which is loaded with the first one. Connections are kept and shared by all requests of this sender. */
export function createHttpSend(options: HttpOptions = {}): HttpSend {
  const direct = agents({});
  const proxied = options.proxyEnv ? agents({ proxyEnv: { ...options.proxyEnv } }) : direct;
  return async (request) => {
    const { default: got } = await import('got');
    const stream = got.stream(request.url, {
      method: request.method,
      headers: { 'user-agent': options.userAgent ?? 'hallmark', ...request.headers },
      ...(request.body !== undefined && { body: request.body }),
      ...(request.signal && { signal: request.signal }),
      agent: isLoopback(request.url.host) ? direct : proxied,
      decompress: false,
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      https: { rejectUnauthorized: !request.insecure },
      timeout: { connect: options.connectTimeoutMs ?? 15_000, response: options.responseTimeoutMs ?? 60_000 },
    });
    return new Promise<HttpResponse>((resolve, reject) => {
      stream.once('error', (error: Error) => reject(networkError(error, request)));
      stream.once('response', (response: { statusCode: number; headers: HttpResponse['headers'] }) =>
        resolve({ status: response.statusCode, url: request.url, headers: response.headers, body: stream }),
      );
    });
  };
}

const agents = (options: { proxyEnv?: Record<string, string | undefined> }) => ({
  http: new HttpAgent({ keepAlive: true, ...options }),
  https: new HttpsAgent({ keepAlive: true, ...options }),
});

/** An abort keeps its own reason; got's time-outs, which share the name of an aborted signal's, become plain network errors. */
function networkError(error: Error, request: HttpRequest): unknown {
  if (request.signal?.aborted) return request.signal.reason;
  if (error.name !== 'TimeoutError') return error;
  return Object.assign(new Error(error.message, { cause: error }), { code: 'ETIMEDOUT' });
}
