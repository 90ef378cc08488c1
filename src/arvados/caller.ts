import { type ApiErrorCode, apiError } from '../api/errors.ts';
import { isJsonObject } from '../core/json.ts';
import { parseJson } from '../core/numbers.ts';
import { type HttpClient, type HttpRequest, readAll } from './http.ts';
import { isTemporary, type Retry, withRetries } from './retry.ts';
import type { ArvadosSettings } from './settings.ts';
import { toHeaders, tokenRefused } from './token.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/arvados/v1/`. */
  readonly path: string;
  /** Of a GET; sent in a body where they are too long for a query (Arvados API, "REST API syntax"). */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Instead of that of the settings. */
  readonly token?: string;
}

export interface CallerOptions {
  readonly settings: Pick<ArvadosSettings, 'url' | 'token'>;
  readonly http: HttpClient;
  readonly retry: Retry;
}

/** Calls of the REST API: JSON in, JSON out. Fails with the codes of `ApiErrorCode`. */
export interface Caller {
  /** Asked again while the cluster may do better later. Only for calls that may be made twice. */
  call(request: ApiRequest): Promise<unknown>;
  /** Asked once. */
  callOnce(request: ApiRequest): Promise<unknown>;
  /** Anything else on the server, by its whole path. */
  get(path: string, retry?: Partial<Retry>): Promise<unknown>;
}

export function createCaller(options: CallerOptions): Caller {
  const callOnce = (request: ApiRequest) => send(options, toHttp(options.settings, request), request.path);
  return {
    callOnce,
    call: (request) => withRetries(options.retry, () => callOnce(request)),
    get: (path, retry) => {
      const { url, token } = options.settings;
      const request = { method: 'GET', url: `${url}${path}`, headers: toHeaders(token) } as const;
      return withRetries({ ...options.retry, ...retry }, () => send(options, request, path));
    },
  };
}

/** Servers take at least this much of a query. */
const maxQueryLength = 1500;

function toHttp(settings: CallerOptions['settings'], request: ApiRequest): HttpRequest {
  const url = `${settings.url}/arvados/v1/${request.path}`;
  const headers = { ...toHeaders(request.token ?? settings.token), accept: 'application/json' };
  if (request.body) {
    const body = JSON.stringify(request.body);
    return { method: request.method, url, headers: { ...headers, 'content-type': 'application/json' }, body };
  }
  const query = toQuery(request.parameters ?? {});
  if (query.length <= maxQueryLength) {
    return { method: request.method, url: query === '' ? url : `${url}?${query}`, headers };
  }
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, headers: form, body: `_method=GET&${query}` };
}

/** Structured values are JSON. */
function toQuery(parameters: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  ).toString();
}

async function send({ http }: CallerOptions, request: HttpRequest, path: string): Promise<unknown> {
  const { status, body } = await http.send(request, (answer) => readAll(answer));
  const text = body.toString('utf8');
  if (status >= 200 && status < 300) return parse(text, request.url);
  throw toApiError(request, status, text, path);
}

function parse(text: string, url: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw apiError('api/bad-response', `expected JSON from ${new URL(url).origin}, got ${shorten(text)}`, {
      cause,
      hint: 'check that ARVADOS_API_HOST is the API server of a cluster',
    });
  }
}

/** The message is the cluster's own; servers of ours say the code too. */
function toApiError(request: HttpRequest, status: number, text: string, path: string) {
  const { said, token, code } = readErrors(text);
  if (status === 401) return tokenRefused(said);
  if (isTemporary(status)) {
    const name = token === undefined ? '' : ` (${token})`;
    return apiError('api/unavailable', `${new URL(request.url).origin} answered ${status}: ${said}${name}`, {
      retryable: true,
      hint: 'the cluster is down or too busy: try again later',
    });
  }
  if (status >= 300 && status < 400) {
    return apiError('api/bad-response', `${new URL(request.url).origin} answered ${status}: it sends us elsewhere`, {
      hint: 'set ARVADOS_API_HOST to the API server itself',
    });
  }
  return apiError(code ?? codeOf(request.method, status, path), said);
}

function codeOf(method: string, status: number, path: string): ApiErrorCode {
  if (status === 404) return 'api/not-found';
  if (status === 403) return 'api/not-authorized';
  if (status >= 500) return 'api/unavailable';
  if (method === 'GET' || (method === 'POST' && status === 400)) return 'api/bad-filter';
  const isChange = method === 'PUT' || method === 'DELETE' || path.includes('/');
  return isChange ? 'api/forbidden-change' : 'api/bad-attribute';
}

const ownCodes: ReadonlySet<string> = new Set<ApiErrorCode>([
  'api/not-found',
  'api/bad-attribute',
  'api/bad-filter',
  'api/forbidden-change',
]);

function readErrors(text: string): { said: string; token?: string; code?: ApiErrorCode } {
  let body: unknown;
  try {
    body = parseJson(text);
  } catch {
    return { said: shorten(text) };
  }
  const { errors, error_token: token, code } = isJsonObject(body) ? body : {};
  const said = Array.isArray(errors) ? errors.map(String).join('; ').replaceAll(/\s+/g, ' ') : shorten(text);
  return {
    said,
    ...(typeof token === 'string' && { token }),
    ...(typeof code === 'string' && ownCodes.has(code) && { code: code as ApiErrorCode }),
  };
}

const shorten = (text: string): string => {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line === '' ? 'nothing' : JSON.stringify(line.length > 120 ? `${line.slice(0, 120)}…` : line);
};
