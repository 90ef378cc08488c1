import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterApi } from '../../api/port.ts';
import type { CollectionRecord } from '../../api/records.ts';
import { isHallmarkError, toMessage } from '../../core/errors.ts';
import type { CollectionFile } from '../../keep/collection.ts';
import { createCollectionWriter } from '../../keep/collection-writer.ts';
import { parseManifest } from '../../keep/manifest.ts';
import type { BlockStore } from '../../keep/port.ts';
import { runError } from '../errors.ts';
import { isFresh, type KeptHeaders, readKeptHeaders, toKeptHeaders, withoutParameters } from './freshness.ts';
import type { AskUrl, Downloads, UrlAnswer } from './port.ts';

export interface DownloadOptions {
  readonly api: ClusterApi;
  readonly blocks: BlockStore;
  readonly ask: AskUrl;
  readonly nowMs: () => number;
  /** Takes what Keep has without asking the server. */
  readonly preferKept: boolean;
  /** Parameters of URLs that do not tell files apart. */
  readonly varyingParameters: readonly string[];
  /** Before each further try; default 500, 2000 ms. */
  readonly retryDelaysMs?: readonly number[];
}

/**
 * Streams files of the web into collections of one file, which remember what the server said in a property under the URL, as
 * arvados-cwl-runner has it: the next run asks whether the file is the same, and is told so in a few bytes.
 */
export function createDownloads(options: DownloadOptions): Downloads {
  const underWay = new Map<string, Promise<CollectionFile>>();
  return {
    fetch(url) {
      const known = underWay.get(url) ?? withRetries(() => download(url, options), options);
      underWay.set(url, known);
      known.catch(() => underWay.delete(url));
      return known;
    },
    async exists(url) {
      const answer = await ask(url, { method: 'HEAD', headers: {} }, options).catch(() => undefined);
      answer?.discard();
      return answer !== undefined && answer.status >= 200 && answer.status < 300;
    },
  };
}

async function withRetries<T>(task: () => Promise<T>, { retryDelaysMs = [500, 2000] }: DownloadOptions): Promise<T> {
  for (const waitMs of retryDelaysMs) {
    try {
      return await task();
    } catch (error) {
      if (!isHallmarkError(error) || !error.retryable) throw error;
      await delay(waitMs);
    }
  }
  return task();
}

/** What Keep has of a URL. */
interface Kept {
  readonly record: CollectionRecord;
  readonly headers: KeptHeaders;
  readonly file: CollectionFile;
}

async function download(url: string, options: DownloadOptions): Promise<CollectionFile> {
  const name = withoutParameters(url, options.varyingParameters);
  const kept = await findKept(name, options);
  if (kept && (options.preferKept || isFresh(kept.headers, options.nowMs()))) return kept.file;
  const etag = kept?.headers.Etag;
  const answer = await ask(
    url,
    { method: 'GET', headers: etag === undefined ? {} : { 'if-none-match': etag } },
    options,
  );
  const headers = toKeptHeaders(answer.headers, options.nowMs());
  const isSame = etag !== undefined && (answer.status === 304 || (answer.status === 200 && headers.Etag === etag));
  if (kept && isSame) {
    answer.discard();
    await remember(kept.record, { [name]: { ...kept.headers, ...headers } }, options);
    return kept.file;
  }
  if (answer.status !== 200) {
    answer.discard();
    throw refused(url, answer.status);
  }
  return save(url, answer, { [name]: headers }, options);
}

async function findKept(url: string, { api }: DownloadOptions): Promise<Kept | undefined> {
  const { items } = await api.list('collections', {
    filters: [['properties', 'exists', url]],
    select: ['uuid', 'portable_data_hash', 'manifest_text', 'properties'],
    order: ['modified_at desc'],
    limit: 10,
    count: 'none',
  });
  for (const record of items) {
    const headers = readKeptHeaders(record.properties, url);
    const [file, ...more] = parseManifest(record.manifest_text).files.values();
    if (headers && file && more.length === 0) return { record, headers, file };
  }
  return undefined;
}

type Properties = Readonly<Record<string, KeptHeaders>>;

const remember = (record: CollectionRecord, properties: Properties, { api }: DownloadOptions) =>
  api.update('collections', record.uuid, { properties: { ...record.properties, ...properties } });

async function save(
  url: string,
  answer: UrlAnswer,
  properties: Properties,
  { api, blocks }: DownloadOptions,
): Promise<CollectionFile> {
  const writer = createCollectionWriter(blocks);
  const file = await writer.addStream(nameIn(url), readWhole(url, answer));
  await api.create('collections', {
    name: `Downloaded from ${Object.keys(properties)[0] ?? url}`.slice(0, 254),
    properties,
    manifest_text: writer.finish().manifestText,
  });
  return file;
}

/** The last part of the path; a collection's file needs some name. */
function nameIn(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  return /^\.{0,2}$/.test(name) ? 'download' : name;
}

async function* readWhole(url: string, { headers, body }: UrlAnswer): AsyncGenerator<Uint8Array> {
  const expected = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  let got = 0;
  try {
    for await (const chunk of body) {
      got += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    throw cut(url, got, expected, cause);
  }
  if (expected !== undefined && got !== expected) throw cut(url, got, expected);
}

async function ask(url: string, question: Parameters<AskUrl>[1], options: DownloadOptions): Promise<UrlAnswer> {
  try {
    return await options.ask(url, question);
  } catch (cause) {
    if (isHallmarkError(cause)) throw cause;
    throw runError('run/download-failed', `cannot download ${url}: ${toMessage(cause)}`, {
      hint: 'check the address and the network; --prefer-cached-downloads takes what an earlier run downloaded',
      cause,
      retryable: true,
    });
  }
}

const refused = (url: string, status: number) =>
  runError('run/download-failed', `cannot download ${url}: the server answers ${status}`, {
    hint:
      status === 401 || status === 403
        ? 'the server wants credentials: download the file and give its path'
        : 'check the address: try it in a browser',
    retryable: status >= 500 || status === 429,
  });

function cut(url: string, got: number, expected: number | undefined, cause?: unknown) {
  const of = expected === undefined ? '' : ` of ${expected}`;
  return runError('run/download-failed', `cannot download ${url}: the connection was cut after ${got}${of} bytes`, {
    hint: 'run it again',
    cause,
    retryable: true,
  });
}
