import type { IncomingMessage } from 'node:http';
import { apiError } from '../../api/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { parseJson } from '../../core/numbers.ts';

export interface Parameters {
  readonly method: string;
  /** Of the query and the body together; values that are JSON are parsed. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What the discovery document promises as `maxRequestSize`: a manifest of that size is the largest thing sent. */
export const maxRequestBytes = 128 * 1024 * 1024;

/** Clients send what does not fit into a query as a POST with `_method=GET` or `X-HTTP-Method-Override`. */
export async function readParameters(request: IncomingMessage, url: URL): Promise<Parameters> {
  const values: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, text] of url.searchParams) values[name] = parseValue(text);
  const body = await readBody(request);
  if (body !== '') Object.assign(values, parseBody(body, request.headers['content-type'] ?? ''));
  const override = values._method ?? request.headers['x-http-method-override'];
  const method = request.method === 'POST' && typeof override === 'string' ? override : request.method;
  return { method: (method ?? 'GET').toUpperCase(), values };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxRequestBytes) throw bad(`the request is larger than ${maxRequestBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseBody(body: string, contentType: string): Record<string, unknown> {
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    const entries = [...new URLSearchParams(body)].map(([name, text]) => [name, parseValue(text)] as const);
    return Object.fromEntries(entries);
  }
  const value = parse(body);
  if (isJsonObject(value)) return value;
  throw bad('expected the body to be a JSON object or a form');
}

/** Arrays, objects, numbers, true, false and null come as JSON; anything else is text. */
function parseValue(text: string): unknown {
  if (!/^(?:[[{]|-?(?:0|[1-9]\d*)$|true$|false$|null$)/.test(text)) return text;
  return parse(text);
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw apiError('api/bad-attribute', `expected JSON, got ${JSON.stringify(text.slice(0, 80))}`, { cause });
  }
}

const bad = (message: string) => apiError('api/bad-attribute', message);
