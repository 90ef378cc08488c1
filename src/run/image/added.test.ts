import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answering, startServer } from '../../../test/fakes/http-server.ts';
import { createRunKit, imageEnding, type RunKit } from '../../../test/fakes/run-kit.ts';
import { createAsker } from '../../adapters/fetch/ask.ts';
import type { ContainerRequest } from '../../api/records.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Requirement } from '../../cwl/model.ts';
import { scratchState, toImage, withHistory } from '../../image/build/run/state.ts';
import { parseReference } from '../../image/reference.ts';
import { createDownloads, type DownloadOptions } from '../downloads/downloads.ts';
import { explainDifference } from '../explain.ts';
import type { ImageServices } from './port.ts';
import { imageBuildClass } from './requirement.ts';
import { createImageResolver } from './resolve.ts';

interface Page {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

let kit: RunKit;
let server: Answering;
let pages: Record<string, Page>;
beforeEach(async () => {
  kit = await createRunKit();
  kit.startEngine(() => imageEnding('built:1', 'c'));
  pages = {};
  server = await startServer((request, response) => {
    const { status = 200, headers = {}, text = '' } = pages[request.url ?? ''] ?? { status: 404 };
    const isSame = headers.etag !== undefined && request.headers['if-none-match'] === headers.etag;
    response.writeHead(isSame ? 304 : status, headers).end(isSame ? undefined : text);
  });
});
afterEach(() => kit.close());

const position = { file: 'file:///home/ada/tool.cwl', line: 7, column: 5 };
const commit = 'c0ffee'.repeat(7).slice(0, 40);
const git: ImageServices['git'] = {
  resolveRef: async (_repository, ref) => (ref === 'v2' ? commit : Promise.reject(new Error(`no ${ref}`))),
  readFile: () => Promise.reject(new Error('no context here')),
};

function downloads(more: Partial<DownloadOptions> = {}) {
  const { api, blocks } = kit;
  const ask = createAsker({ trusts: () => true, timeoutMs: 5000 });
  return createDownloads({
    ...{ api, blocks, ask, nowMs: () => 1000, preferKept: false, varyingParameters: [], retryDelaysMs: [] },
    ...more,
  });
}

/** The request of a build of this Dockerfile. */
async function request(text: string, more: Partial<ImageServices> = {}, hint?: JsonObject): Promise<ContainerRequest> {
  const images = createImageResolver(kit.imageServices({ downloads: downloads(), git, ...more }));
  const docker: Requirement = { class: 'DockerRequirement', fields: { dockerFile: text }, position };
  await images.resolve(docker, hint && { class: imageBuildClass, fields: hint, position });
  const built = (await kit.requests()).at(-1);
  if (!built) throw new Error('no request');
  return built;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const modified = 'Thu, 01 Jan 1970 00:00:09 GMT';

describe('the request of a build with ADD', () => {
  it('holds the file by content, its time, and what the server said beside it', async () => {
    pages['/a/f'] = { text: 'one', headers: { etag: '"1"', 'last-modified': modified } };
    const url = `${server.url}/a/f`;
    const { mounts, properties } = await request(`FROM scratch\nARG A=a\nADD ${server.url}/$A/f /x\nADD ${url} /y`);
    expect(mounts).toMatchObject({
      [`/ADD/${url}`]: { kind: 'collection', portable_data_hash: expect.stringMatching(/^[0-9a-f]{32}\+\d+$/) },
      '/ADD': { kind: 'json', content: { [url]: 9 } },
    });
    expect(properties['hm:added']).toEqual({
      [url]: expect.objectContaining({ Etag: '"1"', 'Last-Modified': modified, sha256: sha256('one') }),
    });
    expect(server.requests).toEqual(['GET /a/f']);
  });

  it('is the same while the file is, and another one once it changed', async () => {
    const text = `FROM scratch\nADD ${server.url}/f /x`;
    pages['/f'] = { text: 'one', headers: { etag: '"1"' } };
    const first = await request(text);
    const same = await request(text);
    pages['/f'] = { text: 'two', headers: { etag: '"2"' } };
    const changed = await request(text);
    expect(same.container_uuid).toBe(first.container_uuid);
    expect(changed.container_uuid).not.toBe(first.container_uuid);
    expect(await explainDifference(kit.api, first, changed)).toBe(`${server.url}/f changed: f`);
    expect(server.requests).toHaveLength(3);
  });

  it('is the same for a server that tells no tag and dates each answer anew', async () => {
    const text = `FROM scratch\nADD ${server.url}/f /x`;
    pages['/f'] = { text: 'one', headers: { 'last-modified': modified } };
    const first = await request(text);
    pages['/f'] = { text: 'one', headers: { 'last-modified': 'Thu, 01 Jan 1970 00:01:00 GMT' } };
    expect((await request(text)).container_uuid).toBe(first.container_uuid);
    expect((await kit.api.list('collections', { filters: [['name', 'like', 'Downloaded%']] })).items).toHaveLength(1);
  });

  it('asks nobody for what a checksum names and Keep has', async () => {
    pages['/f'] = { text: 'one' };
    const text = `FROM scratch\nARG SUM\nADD --checksum=sha256:$SUM ${server.url}/f /x`;
    const hint = { buildArgs: { SUM: sha256('one') } };
    const first = await request(text, {}, hint);
    await server.close();
    expect((await request(text, {}, hint)).container_uuid).toBe(first.container_uuid);
  });

  it('asks again for a checksum that is not of what Keep has, however fresh that is', async () => {
    const headers = { 'cache-control': 'max-age=9999' };
    pages['/f'] = { text: 'one', headers };
    await request(`FROM scratch\nADD ${server.url}/f /x`);
    pages['/f'] = { text: 'two', headers };
    await request(`FROM scratch\nADD --checksum=sha256:${sha256('two')} ${server.url}/f /x`);
    expect(server.requests).toHaveLength(2);
  });

  it('takes what Keep has where that is asked for, without a server', async () => {
    pages['/f'] = { text: 'one' };
    const text = `FROM scratch\nADD ${server.url}/f /x`;
    const first = await request(text);
    await server.close();
    const again = await request(text, { downloads: downloads({ preferKept: true }) });
    expect(again.container_uuid).toBe(first.container_uuid);
  });

  it('fetches only for the stages that the target needs', async () => {
    pages['/f'] = { text: 'one' };
    const text = `FROM scratch AS no\nADD ${server.url}/none /x\nFROM scratch\nADD ${server.url}/f /x`;
    expect(Object.keys((await request(text)).mounts)).toEqual(['/Dockerfile', `/ADD/${server.url}/f`]);
  });

  it('knows the variables of a base, which is opened only for them', async () => {
    const state = { ...scratchState({ os: 'linux', architecture: 'amd64' }), config: { Env: ['V=7'] } };
    const services = kit.imageServices();
    const names = { collection: 'base', references: [parseReference('base:1')] };
    await services.saveImage(toImage(withHistory(state, 'base', 0), 0), names);
    await kit.image('other:1', 'a');
    pages['/f7'] = { text: 'one' };
    expect(Object.keys((await request(`FROM base:1\nADD ${server.url}/f$V /x`)).mounts)).toContain(
      `/ADD/${server.url}/f7`,
    );
    expect(Object.keys((await request(`FROM other:1\nADD ${server.url}/f7 /x`)).mounts)).toContain(
      `/ADD/${server.url}/f7`,
    );
  });

  it('follows redirects, and is known by the URL that the Dockerfile has', async () => {
    pages['/to'] = { status: 302, headers: { location: '/f' } };
    pages['/f'] = { text: 'one' };
    const { mounts } = await request(`FROM scratch\nADD ${server.url}/to /x`);
    expect(Object.keys(mounts)).toContain(`/ADD/${server.url}/to`);
  });

  it('holds the commit that the ref of a repository names now', async () => {
    const { mounts } = await request(`FROM scratch\nADD --checksum=${commit.slice(0, 9)} https://h/r.git#v2:sub /x`);
    expect(mounts['/ADD/https://h/r.git#v2:sub']).toEqual({
      ...{ kind: 'git_tree', url: 'https://h/r.git', commit, path: 'sub' },
    });
  });
});

describe('an ADD that cannot be done names its line', () => {
  const dockerfile = 'Dockerfile of tool.cwl';

  it.each<[string, string, Page, object]>([
    [
      'a URL without a file',
      'ADD URL/f?token=abc /x',
      { status: 404 },
      {
        code: 'run/download-failed',
        message: expect.stringMatching(/^ADD: cannot download .*\/f\?token=\*\*\*: the server answers 404$/),
        hint: expect.stringContaining('check the address'),
      },
    ],
    [
      'a file with another checksum',
      `ADD --checksum=sha256:${sha256('wanted')} URL/f?token=abc /x`,
      { text: 'got' },
      {
        code: 'image/digest-mismatch',
        message: expect.stringMatching(
          new RegExp(`^ADD of .*\\*\\*\\*: expected sha256:${sha256('wanted')}, got sha256:${sha256('got')}$`),
        ),
      },
    ],
    [
      'a commit that the checksum does not name',
      'ADD --checksum=abcdef0 https://h/r.git#v2 /x',
      {},
      { code: 'image/digest-mismatch', message: `ADD of https://h/r.git#v2: expected abcdef0, got ${commit}` },
    ],
    [
      'a URL without a name for the file',
      'ADD URL/ /x/',
      {},
      { code: 'image/bad-dockerfile', message: expect.stringMatching(/^expected a file name at the end of/) },
    ],
  ])('%s', async (_what, line, page, expected) => {
    pages['/f?token=abc'] = page;
    const text = `FROM scratch\nENV A=1\n${line.replace('URL', server.url)}`;
    await expect(request(text)).rejects.toMatchObject({ ...expected, where: { file: dockerfile, line: 3 } });
    expect(await kit.requests()).toEqual([]);
  });

  it('a server of a private network, unless that is allowed', async () => {
    const ask = createAsker({ timeoutMs: 5000 });
    const text = `FROM scratch\nADD ${server.url}/f /x`;
    await expect(request(text, { downloads: downloads({ ask }) })).rejects.toMatchObject({
      code: 'run/download-failed',
      message: expect.stringMatching(/^ADD: fetching from 127\.0\.0\.1:\d+ is not allowed: it is a private address$/),
      hint: expect.stringContaining('--allow-private-network'),
      where: { file: dockerfile, line: 2 },
    });
  });
});
