import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { apiError } from '../api/errors.ts';
import { toMessage } from '../core/errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer<T> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: T;
}

export interface HttpClient {
  /**
   * One request, once; any status is an answer. Fails with `api/unavailable` where none came or it was cut short, `retryable` where
   * the same request may fare better, and with what `read` fails with.
   */
  send<T>(request: HttpRequest, read: (answer: IncomingMessage) => Promise<T>): Promise<HttpAnswer<T>>;
  /** Ends the connections that are kept open. */
  close(): void;
}

export interface HttpOptions {
  /** Take any certificate. */
  readonly insecure: boolean;
  /** Longest silence of the server. */
  readonly timeoutMs?: number;
}

const maxSockets = 16;

export function createHttpClient({ insecure, timeoutMs = 300_000 }: HttpOptions): HttpClient {
  const keepAlive = { keepAlive: true, maxSockets, scheduling: 'fifo' } as const;
  const agents = {
    'http:': new HttpAgent(keepAlive),
    'https:': new HttpsAgent({ ...keepAlive, rejectUnauthorized: !insecure }),
  };
  return {
    async send(request, read) {
      try {
        const answer = await open(request, agents, timeoutMs);
        const body = await read(answer);
        return { status: answer.statusCode ?? 0, headers: answer.headers, body };
      } catch (error) {
        request.signal?.throwIfAborted();
        throw isNetworkError(error) ? unreachable(request.url, error) : error;
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function open(
  { method, url, headers, body, signal }: HttpRequest,
  agents: { readonly 'http:': HttpAgent; readonly 'https:': HttpsAgent },
  timeoutMs: number,
): Promise<IncomingMessage> {
  const isSecure = url.startsWith('https:');
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const options = {
    method,
    headers: { ...headers, ...length },
    agent: agents[isSecure ? 'https:' : 'http:'],
    timeout: timeoutMs,
    ...(signal && { signal }),
  };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(url, options, resolve);
    request.once('error', reject);
    request.once('timeout', () => request.destroy(Object.assign(new Error(`no answer in ${timeoutMs} ms`), timedOut)));
    request.end(body);
  });
}

const timedOut = { code: 'ETIMEDOUT', syscall: 'read' };

/** Node's own errors of sockets, names and certificates carry a code; ours are of another class. */
function isNetworkError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && !error.code.includes('/');
}

const noSuchHost = new Set(['ENOTFOUND', 'ERR_INVALID_URL', 'EPROTO']);

function unreachable(url: string, cause: Error & { readonly code: string }) {
  const where = new URL(url).origin;
  const isCertificate = /CERT|SIGNED|VERIFY|ERR_TLS/.test(cause.code);
  return apiError('api/unavailable', `cannot reach ${where}: ${toMessage(cause) || cause.code}`, {
    cause,
    retryable: !isCertificate && !noSuchHost.has(cause.code),
    hint: isCertificate
      ? 'set ARVADOS_API_HOST_INSECURE=1 only where you trust the network between'
      : 'check ARVADOS_API_HOST and the network',
  });
}

/** The whole body, at most `maxBytes`. */
export async function readAll(answer: IncomingMessage, maxBytes = 256 * 1024 * 1024): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) {
      answer.destroy();
      throw apiError('api/bad-response', `expected an answer of at most ${maxBytes} bytes, got more`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}
