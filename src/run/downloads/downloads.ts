import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterApi } from '../../api/port.ts';
import type { CollectionRecord } from '../../api/records.ts';
import { createSharedTasks } from '../../core/concurrency.ts';
import { isHallmarkError } from '../../core/errors.ts';
import type { CollectionFile } from '../../keep/collection.ts';
import { createCollectionWriter } from '../../keep/collection-writer.ts';
import { openFile } from '../../keep/file-reader.ts';
import { parseManifest } from '../../keep/manifest.ts';
import type { BlockStore } from '../../keep/port.ts';
import {
  isFresh,
  type KeptHeaders,
  readKeptHeaders,
  toKeptHeaders,
  updateKeptHeaders,
  withoutParameters,
} from './freshness.ts';
import type { AskUrl, DatedOptions, Downloads, UrlAnswer } from './port.ts';
import { askServer, nameIn, readWhole, refused } from './transfer.ts';

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
  const done = new Map<string, Kept>();
  const share = createSharedTasks<Kept>();
  const once = async (url: string, { sha256, signal }: DatedOptions = {}): Promise<Kept> => {
    const key = JSON.stringify([url, sha256]);
    const task = async (left: AbortSignal): Promise<Kept> => {
      const kept = await withRetries(() => download({ url, sha256, signal: left }, options), options, left);
      done.set(key, kept);
      return kept;
    };
    return done.get(key) ?? share(key, task, signal);
  };
  return {
    fetch: async (url, signal) => (await once(url, { ...(signal && { signal }) })).file,
    async fetchDated(url, wants) {
      const kept = await once(url, wants);
      const sha256 = kept.headers[digestName] ?? (await rememberDigest(url, kept, options));
      return { portableDataHash: kept.record.portable_data_hash, sha256, said: kept.headers };
    },
    async exists(url) {
      const answer = await askServer(options.ask, url, { method: 'HEAD', headers: {} }).catch(() => undefined);
      answer?.discard();
      return answer !== undefined && answer.status >= 200 && answer.status < 300;
    },
  };
}

async function withRetries<T>(
  task: () => Promise<T>,
  { retryDelaysMs = [500, 2000] }: DownloadOptions,
  signal: AbortSignal,
): Promise<T> {
  for (const waitMs of retryDelaysMs) {
    try {
      return await task();
    } catch (error) {
      signal.throwIfAborted();
      if (!isHallmarkError(error) || !error.retryable) throw error;
      await delay(waitMs, undefined, { signal });
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

/** Beside the headers: the SHA-256 of the file, once somebody wanted it. */
const digestName = 'sha256';

interface Wanted {
  readonly url: string;
  readonly sha256: string | undefined;
  readonly signal: AbortSignal;
}

async function download({ url, sha256, signal }: Wanted, options: DownloadOptions): Promise<Kept> {
  const name = withoutParameters(url, options.varyingParameters);
  const kept = await findKept(name, options);
  if (kept && isGoodEnough(kept.headers, sha256, options)) return kept;
  const etag = kept?.headers.Etag;
  const known = etag === undefined ? {} : { 'if-none-match': etag };
  const answer = await askServer(options.ask, url, { method: 'GET', headers: known, signal });
  const headers = toKeptHeaders(answer.headers, options.nowMs());
  const isSame = etag !== undefined && (answer.status === 304 || (answer.status === 200 && headers.Etag === etag));
  if (kept && isSame) {
    answer.discard();
    return remember(name, kept, headers, options);
  }
  if (answer.status !== 200) {
    answer.discard();
    throw refused(url, answer.status);
  }
  return save({ url, name, kept, headers }, answer, options);
}

/** Whether it may be used without asking. What is named by its content is that or is not, however old. */
function isGoodEnough(kept: KeptHeaders, sha256: string | undefined, { preferKept, nowMs }: DownloadOptions): boolean {
  const known = kept[digestName];
  if (sha256 !== undefined && known !== undefined) return known === sha256;
  return preferKept || (sha256 === undefined && isFresh(kept, nowMs()));
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

async function remember(name: string, kept: Kept, now: KeptHeaders, { api }: DownloadOptions): Promise<Kept> {
  const headers = updateKeptHeaders(kept.headers, now);
  await api.update('collections', kept.record.uuid, { properties: { ...kept.record.properties, [name]: headers } });
  return { ...kept, headers };
}

async function rememberDigest(url: string, kept: Kept, options: DownloadOptions): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(openFile(options.blocks, kept.file), hash);
  const sha256 = hash.digest('hex');
  await remember(withoutParameters(url, options.varyingParameters), kept, { [digestName]: sha256 }, options);
  return sha256;
}

interface Saving {
  readonly url: string;
  /** The URL that it is kept under. */
  readonly name: string;
  readonly kept: Kept | undefined;
  readonly headers: KeptHeaders;
}

/** A new record, unless it turns out to be what Keep has. */
async function save({ url, name, kept, headers }: Saving, answer: UrlAnswer, options: DownloadOptions): Promise<Kept> {
  const writer = createCollectionWriter(options.blocks);
  const file = await writer.addStream(nameIn(url), readWhole(url, answer));
  const { manifestText, portableDataHash } = writer.finish();
  if (kept?.record.portable_data_hash === portableDataHash) return remember(name, kept, headers, options);
  const record = await options.api.create('collections', {
    name: `Downloaded from ${name}`.slice(0, 254),
    properties: { [name]: headers },
    manifest_text: manifestText,
  });
  return { record, headers, file };
}
