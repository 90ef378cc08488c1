import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import { createRunKit, type RunKit } from '../../../test/fakes/run-kit.ts';
import { readText } from '../../keep/file-reader.ts';
import { createDownloads, type DownloadOptions } from './downloads.ts';
import { isFresh, modifiedSecondsOf, readKeptHeaders, toKeptHeaders, withoutParameters } from './freshness.ts';
import type { AskUrl, UrlQuestion } from './port.ts';

const url = 'https://data.example/ref.fa?sig=1';

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  /** The connection breaks after the text. */
  readonly cut?: boolean;
}

let kit: RunKit;
let asked: UrlQuestion[];
beforeEach(async () => {
  kit = await createRunKit();
  asked = [];
});

function downloads(replies: readonly Reply[], more: Partial<DownloadOptions> = {}) {
  const waiting = [...replies];
  const ask: AskUrl = async (_url, question) => {
    asked.push(question);
    const { status = 200, headers = {}, text = '', cut = false } = waiting.shift() ?? { status: 500 };
    async function* body() {
      yield Buffer.from(text);
      if (cut) throw new Error('aborted');
    }
    return { status, headers, body: body(), discard: () => {} };
  };
  const { api, blocks } = kit;
  const rules = { nowMs: () => 0, preferKept: false, varyingParameters: [], retryDelaysMs: [0] };
  return createDownloads({ api, blocks, ask, ...rules, ...more });
}

const textOf = async (of: ReturnType<typeof downloads>, from = url) => readText(kit.blocks, await of.fetch(from));
const records = async () => (await kit.api.list('collections', {})).items;

describe('a download', () => {
  it('is a collection that says where it is from, as arvados-cwl-runner has it', async () => {
    const headers = { etag: '"1"', 'content-length': '4', server: 'x' };
    expect(await textOf(downloads([{ headers, text: 'ACGT' }]))).toBe('ACGT');
    expect(await records()).toMatchObject([
      {
        name: `Downloaded from ${url}`,
        properties: { [url]: { Etag: '"1"', 'Content-Length': '4', Date: 'Thu, 01 Jan 1970 00:00:00 GMT' } },
      },
    ]);
  });

  it('is taken again when the server says that it is the same', async () => {
    await textOf(downloads([{ headers: { etag: '"1"' }, text: 'ACGT' }]));
    expect(await textOf(downloads([{ status: 304 }]))).toBe('ACGT');
    expect(asked.at(-1)?.headers).toEqual({ 'if-none-match': '"1"' });
    // A server that does not know the question, but tells the same tag.
    expect(await textOf(downloads([{ headers: { etag: '"1"' }, text: 'not read' }]))).toBe('ACGT');
    expect(await textOf(downloads([{ headers: { etag: '"2"' }, text: 'TTTT' }]))).toBe('TTTT');
    expect(await textOf(downloads([{ status: 304 }]))).toBe('TTTT');
  });

  it('is taken without a question while it is fresh, or when that is asked for', async () => {
    await textOf(downloads([{ headers: { 'cache-control': 'public, max-age=60' }, text: 'ACGT' }]));
    expect(await textOf(downloads([], { nowMs: () => 59_000 }))).toBe('ACGT');
    expect(await textOf(downloads([], { nowMs: () => 1e9, preferKept: true }))).toBe('ACGT');
    expect(asked).toHaveLength(1);
    expect(await textOf(downloads([{ text: 'new' }], { nowMs: () => 61_000 }))).toBe('new');
  });

  it('is the same under parameters that do not matter', async () => {
    const rules = { varyingParameters: ['sig'], preferKept: true };
    await textOf(downloads([{ text: 'ACGT' }], rules));
    expect(await textOf(downloads([], rules), url.replace('sig=1', 'sig=2'))).toBe('ACGT');
  });

  it('is shared by those who ask at once', async () => {
    const shared = downloads([{ text: 'ACGT' }]);
    expect(await Promise.all([textOf(shared), textOf(shared)])).toEqual(['ACGT', 'ACGT']);
    expect(asked).toHaveLength(1);
  });

  it('is tried again after what may pass', async () => {
    expect(await textOf(downloads([{ status: 503 }, { text: 'ACGT' }]))).toBe('ACGT');
    expect(await textOf(downloads([{ text: 'AC', cut: true }, { text: 'CGTA' }]), 'https://b.example/f')).toBe('CGTA');
    expect(await records()).toHaveLength(2);
  });

  it.each<[string, Reply[], RegExp, number]>([
    ['404', [{ status: 404 }], /: the server answers 404$/, 1],
    ['403', [{ status: 403 }], /: the server answers 403$/, 1],
    ['500', [{ status: 500 }, { status: 500 }], /: the server answers 500$/, 2],
    [
      'a cut',
      [
        { text: 'AC', cut: true },
        { text: 'A', cut: true },
      ],
      /: the connection was cut after 1 bytes$/,
      2,
    ],
    ['too little', Array(2).fill({ headers: { 'content-length': '9' }, text: 'AC' }), /cut after 2 of 9 bytes$/, 2],
  ])('fails on %s and leaves nothing', async (_what, replies, message, questions) => {
    await expect(downloads(replies).fetch(url)).rejects.toEqual(withCode('run/download-failed', message));
    expect(asked).toHaveLength(questions);
    expect(await records()).toEqual([]);
  });

  it('fails where nobody answers', async () => {
    const ask: AskUrl = () => Promise.reject(new Error('connect ECONNREFUSED'));
    await expect(downloads([], { ask }).fetch(url)).rejects.toMatchObject({
      code: 'run/download-failed',
      message: `cannot download ${url.replace('sig=1', 'sig=***')}: connect ECONNREFUSED`,
      hint: expect.stringContaining('--prefer-cached-downloads'),
    });
    expect(await downloads([], { ask }).exists(url)).toBe(false);
  });
});

describe('a dated download', () => {
  const sha256 = createHash('sha256').update('ACGT').digest('hex');

  it('says its collection, its SHA-256 and what the server said, and remembers them', async () => {
    const headers = { etag: '"1"', 'last-modified': 'Thu, 01 Jan 1970 00:00:09 GMT' };
    const first = await downloads([{ headers, text: 'ACGT' }]).fetchDated(url);
    expect(first).toMatchObject({ sha256, said: { Etag: '"1"', 'Last-Modified': headers['last-modified'] } });
    const [record] = await records();
    expect(first.portableDataHash).toBe(record?.portable_data_hash);
    expect(record?.properties).toMatchObject({ [url]: { Etag: '"1"', sha256 } });
    expect(modifiedSecondsOf(first.said)).toBe(9);
    const again = await downloads([{ status: 304, headers: { 'last-modified': 'Thu, 01 Jan 1970 00:01:00 GMT' } }]);
    expect(modifiedSecondsOf((await again.fetchDated(url)).said)).toBe(9);
  });

  it.each([
    ['Thu, 01 Jan 1970 00:00:09 GMT', 9],
    ['Thu, 01 Jan 1960 00:00:00 GMT', 0],
    ['yesterday', undefined],
  ])('is as old as %j says: %s', (said, expected) => {
    expect(modifiedSecondsOf({ 'Last-Modified': said })).toBe(expected);
  });

  it('is found by its SHA-256 without a question, and asked for where Keep has another', async () => {
    await textOf(downloads([{ headers: { 'cache-control': 'max-age=9' }, text: 'old' }]));
    expect(await downloads([{ text: 'ACGT' }]).fetchDated(url, { sha256 })).toMatchObject({ sha256 });
    expect(await downloads([]).fetchDated(url, { sha256 })).toMatchObject({ sha256 });
    expect(asked).toHaveLength(2);
  });

  it('is let go when who wanted it leaves', async () => {
    const stop = new AbortController();
    const ask: AskUrl = (_url, { signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('let go')));
        stop.abort(new Error('left'));
      });
    await expect(downloads([], { ask }).fetchDated(url, { signal: stop.signal })).rejects.toThrow('left');
  });
});

describe('what the server said', () => {
  it.each<[Record<string, string>, number, boolean]>([
    [{}, 1, false],
    [{ 'Cache-Control': 'max-age=10' }, 9_999, true],
    [{ 'Cache-Control': 'max-age=10' }, 10_000, false],
    [{ 'Cache-Control': 'no-cache, max-age=10' }, 1, false],
    [{ 'Cache-Control': 'immutable' }, 1e12, true],
    [{ Expires: 'Thu, 01 Jan 1970 00:00:10 GMT' }, 9_999, true],
    [{ Expires: '0' }, 1, false],
  ])('%j is fresh at %i: %s', (said, nowMs, fresh) => {
    expect(isFresh({ Date: 'Thu, 01 Jan 1970 00:00:00 GMT', ...said }, nowMs)).toBe(fresh);
  });

  it('is read from properties of any shape', () => {
    expect(readKeptHeaders({ [url]: { ETag: '"old"', Date: 'x', n: 1 } }, url)).toEqual({ Etag: '"old"', Date: 'x' });
    expect(readKeptHeaders({ [url]: 'text' }, url)).toBeUndefined();
    expect(toKeptHeaders({ date: 'given', 'set-cookie': 'x' }, 0)).toEqual({ Date: 'given' });
  });

  it('is kept under the URL without what varies', () => {
    expect(withoutParameters('https://h/p?a=1&sig=2#f', ['sig'])).toBe('https://h/p?a=1#f');
    expect(withoutParameters('https://h/p?b=%20', [])).toBe('https://h/p?b=%20');
  });
});
