import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerOf, hostRequest, saveFile } from '../../../test/fakes/cluster-work.ts';
import { silentLogger } from '../../core/logger.ts';
import { createMemoryBlockStore } from '../../keep/memory-store.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { type HttpFace, serveCluster } from './server.ts';

let cluster: Cluster;
let face: HttpFace;
beforeAll(async () => {
  cluster = openCluster({ path: ':memory:' });
  face = await serveCluster({ cluster, blocks: createMemoryBlockStore(), token: 'the-token', logger: silentLogger });
});
afterAll(async () => {
  await face.close();
  cluster.close();
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function call(
  method: string,
  path: string,
  more: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const body =
    more.body === undefined ? {} : { body: typeof more.body === 'string' ? more.body : JSON.stringify(more.body) };
  const headers = { authorization: 'Bearer the-token', 'content-type': 'application/json', ...more.headers };
  const response = await fetch(`${face.url}${path}`, { method, headers, ...body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const query = (values: Record<string, unknown>) =>
  new URLSearchParams(
    Object.entries(values).map(([name, value]): [string, string] => [name, JSON.stringify(value)]),
  ).toString();

describe('the HTTP face', () => {
  it('creates, reads, changes, lists and deletes records', async () => {
    const made = await call('POST', '/arvados/v1/links', { body: { link: { link_class: 'tag', name: 'a' } } });
    expect(made).toMatchObject({ status: 200, body: { kind: 'arvados#link', name: 'a' } });
    const collection = { manifest_text: '', replication_desired: 2, storage_classes_desired: ['default'] };
    expect((await call('POST', '/arvados/v1/collections', { body: { collection } })).status).toBe(200);
    const path = `/arvados/v1/links/${String(made.body.uuid)}`;
    expect((await call('PUT', path, { body: { link: { name: 'b' } } })).body).toMatchObject({
      name: 'b',
      link_class: 'tag',
    });
    expect((await call('GET', path)).body).toMatchObject({ name: 'b' });
    const filters = [['uuid', '=', made.body.uuid]];
    const list = await call('GET', `/arvados/v1/links?${query({ filters, limit: 5, select: ['name'] })}`);
    expect(list.body).toEqual({
      kind: 'arvados#linkList',
      etag: '',
      offset: 0,
      limit: 5,
      items: [{ kind: 'arvados#link', etag: '', name: 'b' }],
      items_available: 1,
    });
    const uncounted = await call('GET', `/arvados/v1/links?${query({ filters })}&count=none`);
    expect(uncounted.body).not.toHaveProperty('items_available');
    expect((await call('DELETE', path)).status).toBe(200);
    expect(await call('GET', path)).toMatchObject({ status: 404, body: { code: 'api/not-found' } });
  });

  it('takes a list as a form that is too long for a query', async () => {
    const body = new URLSearchParams({ _method: 'GET', limit: '1', filters: '[["name","=","nothing"]]' }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await call('POST', '/arvados/v1/links', { body, headers })).body).toMatchObject({ items: [], limit: 1 });
  });

  it('gives numbers as it got them', async () => {
    const content = { float: 1n, long: 2n ** 60n + 1n, whole: 1 };
    const request = hostRequest({ secret_mounts: { '/s': { kind: 'json', content } } });
    const made = await call('POST', '/arvados/v1/container_requests', { body: { container_request: request } });
    const path = `/arvados/v1/containers/${String(made.body.container_uuid)}`;
    await call('POST', `${path}/lock`);
    const headers = { authorization: 'Bearer the-token' };
    const secrets = await fetch(`${face.url}${path}/secret_mounts`, { headers });
    expect(await secrets.text()).toBe(
      '{"secret_mounts":{"/s":{"kind":"json","content":{"float":1.0,"long":1152921504606846977,"whole":1}}}}',
    );
    expect((await call('POST', '/arvados/v1/links', { body: '{"_method":"GET","limit":1.0}' })).status).toBe(200);
  });

  it('gives collections by the hash of their content', async () => {
    const hash = await saveFile(cluster);
    const { body } = await call('GET', `/arvados/v1/collections/${hash}`);
    expect(body).toMatchObject({ portable_data_hash: hash, manifest_text: expect.stringContaining('0:3:') as string });
    expect((await call('GET', `/arvados/v1/collections/${encodeURIComponent(hash)}`)).status).toBe(200);
    expect((await call('GET', '/arvados/v1/collections/%ff')).status).toBe(404);
    expect((await call('GET', `/arvados/v1/collections/${'0'.repeat(32)}+7`)).status).toBe(404);
  });

  it('locks, unlocks and tells the state of containers', async () => {
    const secret_mounts = { '/s': { kind: 'text', content: 'hush' } } as const;
    const request = await cluster.create('container_requests', hostRequest({ secret_mounts }));
    const path = `/arvados/v1/containers/${containerOf(request)}`;
    expect((await call('GET', `${path}/secret_mounts`)).status).toBe(401);
    expect((await call('POST', `${path}/lock`)).body).toMatchObject({ state: 'Locked' });
    expect(await call('POST', `${path}/lock`)).toMatchObject({ status: 422, body: { code: 'api/forbidden-change' } });
    const { body } = await call('GET', `${path}/auth`);
    expect(body).toMatchObject({ uuid: expect.stringMatching(/-gj3su-/) as string, api_token: 'the-token' });
    expect((await call('GET', `${path}/secret_mounts`)).body).toEqual({ secret_mounts });
    const status = await call('GET', `/arvados/v1/container_requests/${request.uuid}/container_status`);
    expect(status.body).toMatchObject({ uuid: request.container_uuid, state: 'Locked' });
    expect((await call('POST', `${path}/unlock`)).body).toMatchObject({ state: 'Queued' });
    expect(await call('POST', `${path}/unlock`)).toMatchObject({ status: 422 });
  });

  it('is a keepstore too', async () => {
    const { body } = await call('GET', '/arvados/v1/keep_services/accessible');
    const [service] = body.items as Record<string, unknown>[];
    expect(`http://${service?.service_host}:${service?.service_port}`).toBe(face.url);
    const headers = { authorization: 'Bearer v2/zzzzz-gj3su-000000000000000/the-token' };
    const block = (method: string, name: string, more: RequestInit = {}) =>
      fetch(`${face.url}/${name}`, { method, headers, ...more });
    const md5 = 'b1946ac92492d2347c6235b4d2611184';
    expect((await block('HEAD', `${md5}+6`)).status).toBe(404);
    expect((await block('PUT', md5, { body: 'hellO\n' })).status).toBe(422);
    const stored = await block('PUT', md5, { body: 'hello\n' });
    expect([await stored.text(), stored.headers.get('x-keep-replicas-stored')]).toEqual([`${md5}+6\n`, '1']);
    expect((await block('HEAD', `${md5}+6`)).headers.get('content-length')).toBe('6');
    expect(await (await block('GET', `${md5}+6+A0123@69aaaaaa`)).text()).toBe('hello\n');
    for (const missing of [`${md5}+7`, md5]) expect((await block('GET', missing)).status).toBe(404);
    expect((await block('DELETE', `${md5}+6`)).status).toBe(404);
    expect((await fetch(`${face.url}/${md5}+6`)).status).toBe(401);
  });

  it('says what is wrong with a request', async () => {
    expect(await call('POST', '/arvados/v1/links', { body: { link: { nonsense: 1 } } })).toMatchObject({
      status: 422,
      body: { errors: ['links has no attribute "nonsense"'], error_token: expect.stringMatching(/^req-/) as string },
    });
    expect((await call('GET', '/arvados/v1/links?filters=[[')).status).toBe(422);
    expect((await call('GET', '/arvados/v1/links?filters=name')).status).toBe(422);
    expect((await call('POST', '/arvados/v1/links', { body: '[1]' })).status).toBe(422);
    expect((await call('GET', '/arvados/v1/constructor')).status).toBe(404);
    expect((await call('PATCH', '/arvados/v1/links')).status).toBe(404);
    expect((await call('GET', '/')).status).toBe(404);
  });

  it('answers only those who have the token', async () => {
    for (const authorization of ['', 'Bearer wrong', 'Basic the-token', 'the-token']) {
      const answer = await call('GET', '/arvados/v1/links', { headers: { authorization } });
      expect(answer).toMatchObject({ status: 401, body: { code: 'api/not-authorized' } });
    }
    expect(
      (await call('GET', '/arvados/v1/users/current', { headers: { authorization: 'OAuth2 the-token' } })).status,
    ).toBe(200);
  });

  it('turns away pages of the web', async () => {
    expect((await call('GET', '/arvados/v1/links', { headers: { origin: 'https://evil.example' } })).status).toBe(401);
    const status = await new Promise((resolve) => {
      const headers = { host: 'evil.example', authorization: 'Bearer the-token' };
      httpRequest(`${face.url}/arvados/v1/links`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(401);
  });

  it('describes itself to clients that build their methods from it', async () => {
    const { body } = await call('GET', '/discovery/v1/apis/arvados/v1/rest', { headers: { authorization: '' } });
    expect(body).toMatchObject({ rootUrl: `${face.url}/`, servicePath: 'arvados/v1/' });
    expect(body.resources).toHaveProperty('container_requests.methods.list.path', 'container_requests');
    expect(body.schemas).toHaveProperty('ContainerRequest.uuidPrefix', 'xvhdp');
  });

  it('tells its configuration, and a client that it is in no container', async () => {
    const { body } = await call('GET', '/arvados/v1/config');
    expect(body).toMatchObject({
      ClusterID: cluster.store.ownerUuid.slice(0, 5),
      Services: { Controller: { ExternalURL: `${face.url}/` } },
      StorageClasses: { default: { Default: true } },
    });
    expect((await call('GET', '/arvados/v1/containers/current')).status).toBe(404);
  });
});
