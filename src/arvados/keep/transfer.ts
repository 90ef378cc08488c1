import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isHallmarkError, toMessage } from '../../core/errors.ts';
import { type BlockLocator, isBlockLocator } from '../../core/ids.ts';
import { blockMd5, blockSizeBytes, fromMd5, stripHints } from '../../keep/locator.ts';
import { type HttpClient, readAll } from '../http.ts';
import { isTemporary } from '../retry.ts';
import { toHeaders, tokenRefused } from '../token.ts';
import type { KeepService } from './services.ts';

/** One request to one service that did not give or take the block. */
export interface Failure {
  readonly kind: 'failed';
  readonly service: KeepService;
  /** `absent`: it does not hold the block; `damaged`: its bytes are others; `refused`: it will say so again; `temporary`: it may not. */
  readonly reason: 'absent' | 'damaged' | 'refused' | 'temporary';
  readonly message: string;
}

export interface Transfer {
  readonly http: HttpClient;
  readonly token: string;
}

export type ReadOutcome = { readonly kind: 'read'; readonly data: Uint8Array } | Failure;
export type WriteOutcome =
  | { readonly kind: 'stored'; readonly locator: BlockLocator; readonly replicas: number }
  | Failure;
export type LookOutcome = { readonly kind: 'found' } | Failure;

/** GET: the bytes, checked while they arrive. */
export async function readFrom(
  { http, token }: Transfer,
  service: KeepService,
  locator: BlockLocator,
  signal?: AbortSignal,
): Promise<ReadOutcome> {
  const headers = { ...toHeaders(token), accept: 'application/octet-stream' };
  const request = { method: 'GET', url: `${service.root}/${locator}`, headers, ...(signal && { signal }) } as const;
  return attempt(service, async () => {
    const { status, body } = await http.send(request, async (answer) =>
      answer.statusCode === 200 ? readBlock(answer, locator) : (await readAll(answer, 65_536)).toString(),
    );
    if (typeof body === 'string') return toFailure(service, status, body);
    return 'data' in body
      ? { kind: 'read', data: body.data }
      : { kind: 'failed', service, reason: 'damaged', message: `expected ${stripHints(locator)}, got ${body.found}` };
  });
}

async function readBlock(
  answer: IncomingMessage,
  locator: BlockLocator,
): Promise<{ readonly data: Uint8Array } | { readonly found: string }> {
  const data = Buffer.allocUnsafe(blockSizeBytes(locator));
  const md5 = createHash('md5');
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    if (size + part.length > data.length) {
      answer.destroy();
      return { found: `more than ${data.length} bytes` };
    }
    md5.update(part);
    part.copy(data, size);
    size += part.length;
  }
  const found = fromMd5(md5.digest('hex'), size);
  return found === stripHints(locator) ? { data } : { found };
}

/** PUT; the service answers with the locator, signed where the cluster signs them. */
export async function writeTo(
  { http, token }: Transfer,
  service: KeepService,
  block: { readonly locator: BlockLocator; readonly data: Uint8Array; readonly copies: number },
): Promise<WriteOutcome> {
  const headers = {
    ...toHeaders(token),
    'content-type': 'application/octet-stream',
    'x-keep-desired-replicas': String(block.copies),
  };
  const url = `${service.root}/${blockMd5(block.locator)}`;
  return attempt(service, async () => {
    const {
      status,
      headers: got,
      body,
    } = await http.send({ method: 'PUT', url, headers, body: block.data }, (answer) => readAll(answer, 65_536));
    const text = body.toString().trim();
    if (status !== 200) return toFailure(service, status, text);
    if (isBlockLocator(text) && stripHints(text) === block.locator) {
      return { kind: 'stored', locator: text, replicas: toReplicas(got['x-keep-replicas-stored']) };
    }
    const message = `expected the locator ${block.locator}, got ${JSON.stringify(text.slice(0, 80))}`;
    return { kind: 'failed', service, reason: 'refused', message };
  });
}

function toReplicas(header: string | string[] | undefined): number {
  const replicas = Number(header ?? 1);
  return Number.isSafeInteger(replicas) && replicas > 0 ? replicas : 1;
}

/** HEAD. */
export async function lookAt(
  { http, token }: Transfer,
  service: KeepService,
  locator: BlockLocator,
): Promise<LookOutcome> {
  const request = { method: 'HEAD', url: `${service.root}/${locator}`, headers: toHeaders(token) } as const;
  return attempt(service, async () => {
    const { status, headers } = await http.send(request, (answer) => readAll(answer));
    if (status !== 200) return toFailure(service, status, '');
    const length = headers['content-length'];
    if (length === undefined || Number(length) === blockSizeBytes(locator)) return { kind: 'found' };
    return { kind: 'failed', service, reason: 'absent', message: `its block has ${length} bytes` };
  });
}

async function attempt<T>(service: KeepService, task: () => Promise<T | Failure>): Promise<T | Failure> {
  try {
    return await task();
  } catch (error) {
    if (!isHallmarkError(error, 'api/unavailable', 'api/bad-response')) throw error;
    return { kind: 'failed', service, reason: error.retryable ? 'temporary' : 'refused', message: toMessage(error) };
  }
}

/** Fails with `api/not-authorized`, since no other service will take the token. */
function toFailure(service: KeepService, status: number, text: string): Failure {
  const said = text.trim().split('\n')[0]?.slice(0, 200) || 'no reason given';
  if (status === 401) throw tokenRefused(said);
  const reason = status === 404 ? 'absent' : isTemporary(status) ? 'temporary' : 'refused';
  return { kind: 'failed', service, reason, message: `${service.root} answered ${status}: ${said}` };
}
