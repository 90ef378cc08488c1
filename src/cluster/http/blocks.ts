import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiError } from '../../api/errors.ts';
import { isHallmarkError } from '../../core/errors.ts';
import { type BlockLocator, isBlockLocator } from '../../core/ids.ts';
import { blockSizeBytes } from '../../keep/locator.ts';
import { type BlockStore, maxBlockBytes } from '../../keep/port.ts';

/** The path of a keepstore's block, and not of a record. */
export const isBlockPath = (pathname: string): boolean => /^\/[0-9a-f]{32}(?:(?:\+|%2B)[^/]*)?$/i.test(pathname);

/**
 * What keepstore answers its clients (Arvados sdk/go/keepclient): PUT of an md5, GET and HEAD of a locator. Locators are not
 * signed, as on a cluster with `Collections.BlobSigning: false`.
 */
export async function answerBlock(
  blocks: BlockStore,
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
): Promise<void> {
  const name = pathname.slice(1).replaceAll(/%2B/gi, '+').replaceAll(/%40/g, '@');
  if (request.method === 'PUT') return storeBlock(blocks, request, response, name.slice(0, 32));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw apiError('api/not-found', `nothing is at ${request.method} ${pathname}`);
  }
  if (!isBlockLocator(name)) throw apiError('api/not-found', `expected a block locator with a size, got ${name}`);
  return request.method === 'HEAD' ? findBlock(blocks, response, name) : sendBlock(blocks, response, name);
}

async function storeBlock(
  blocks: BlockStore,
  request: IncomingMessage,
  response: ServerResponse,
  md5: string,
): Promise<void> {
  const data = await readBlockBody(request);
  const got = hash('md5', data, 'hex');
  if (got !== md5) throw apiError('api/bad-attribute', `hash mismatch: expected a body with md5 ${md5}, got ${got}`);
  const locator = await blocks.write(data);
  const text = `${locator}\n`;
  response.writeHead(200, { ...plain, 'content-length': text.length, ...stored });
  response.end(text);
}

async function readBlockBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBlockBytes) throw apiError('api/bad-attribute', `expected at most ${maxBlockBytes} bytes, got more`);
    parts.push(part);
  }
  const [only] = parts;
  return parts.length === 1 && only ? only : Buffer.concat(parts, size);
}

async function findBlock(blocks: BlockStore, response: ServerResponse, locator: BlockLocator): Promise<void> {
  const has = await blocks.has(locator);
  response.writeHead(has ? 200 : 404, has ? { ...bytes, 'content-length': blockSizeBytes(locator) } : plain).end();
}

async function sendBlock(blocks: BlockStore, response: ServerResponse, locator: BlockLocator): Promise<void> {
  try {
    const data = await blocks.read(locator);
    response.writeHead(200, { ...bytes, 'content-length': data.length }).end(data);
  } catch (cause) {
    if (!isHallmarkError(cause, 'keep/block-missing')) throw cause;
    throw apiError('api/not-found', cause.message, { cause });
  }
}

const stored = { 'x-keep-replicas-stored': '1', 'x-keep-storage-classes-confirmed': 'default=1' };
const safe = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
const plain = { ...safe, 'content-type': 'text/plain; charset=utf-8' };
const bytes = { ...safe, 'content-type': 'application/octet-stream' };
