import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { HttpRequest, HttpResponse, HttpSend } from './port.ts';

export interface HttpOptions {
  readonly userAgent?: string;
  /** Until a connection stands. */
  readonly connectTimeoutMs?: number;
  /** From the request to the first byte of the answer. */
  readonly responseTimeoutMs?: number;
}

/** Requests through got, which is loaded with the first one. Connections are kept and shared by all requests of this sender. */
export function createHttpSend(options: HttpOptions = {}): HttpSend {
  const agent = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  return async (request) => {
    const { default: got } = await import('got');
    const stream = got.stream(request.url, {
      method: request.method,
      headers: { 'user-agent': options.userAgent ?? 'hallmark', ...request.headers },
      ...(request.body !== undefined && { body: request.body }),
      ...(request.signal && { signal: request.signal }),
      agent,
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

/** got wraps the reason of an abort and of a broken connection: the inner one says more. */
function networkError(error: Error, request: HttpRequest): unknown {
  if (request.signal?.aborted) return request.signal.reason;
  return error;
}
