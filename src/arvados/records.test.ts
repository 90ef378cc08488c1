import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answering, cutShort, hangUp, inTurn, json, startServer, status } from '../../test/fakes/http-server.ts';
import { token } from '../../test/fakes/remote-cluster.ts';
import type { Uuid } from '../core/ids.ts';
import { silentLogger } from '../core/logger.ts';
import { type ArvadosCluster, openArvados } from './open.ts';

const uuid = 'zzzzz-xvhdp-000000000000001' as Uuid;
const container = 'zzzzz-dz642-000000000000001' as Uuid;
const attributes = Object.fromEntries(['output_glob', 'output_properties'].map((name) => [name, {}]));
const discovery = {
  revision: '20250402',
  uuidPrefix: 'zzzzz',
  maxRequestSize: 5000,
  ...{ specialContainerImages: [] },
};
const document = { ...discovery, schemas: { ContainerRequest: { properties: attributes } } };

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const opened: ArvadosCluster[] = [];
afterEach(() => {
  for (const cluster of opened.splice(0)) cluster.close();
});

/** A client of a cluster whose answers, after its discovery document, are these. */
function open(...answers: Answer[]) {
  return openInto(undefined, ...answers);
}

async function openInto(
  project: Uuid | undefined,
  ...answers: Answer[]
): Promise<{ cluster: ArvadosCluster; server: Answering; bodies: string[] }> {
  const bodies: string[] = [];
  const rest = inTurn(...answers);
  const server = await startServer((request, response, body) => {
    if (request.url?.startsWith('/discovery/')) return json(document)(request, response, body);
    bodies.push(body.toString());
    return rest(request, response, body);
  });
  const settings = { url: server.url, token, insecure: false, keepServices: [] };
  const cluster = await openArvados(settings, {
    ...{ logger: silentLogger, retryDelaysMs: [1, 1, 1] },
    ...(project && { project }),
  });
  opened.push(cluster);
  return { cluster, server, bodies };
}

const errors = (said: string, code: number) => json({ errors: [said], error_token: '1234+ab' }, code);

describe('a project', () => {
  const project = 'zzzzz-j7d0g-000000000000001' as Uuid;
  it('gets requests and collections, unless the document names another', async () => {
    const { cluster, bodies } = await openInto(project, json({ uuid }), json({ uuid }), json({ uuid }), json({ uuid }));
    const other = 'zzzzz-j7d0g-000000000000002' as Uuid;
    await cluster.create('container_requests', { command: ['true'] });
    await cluster.create('container_requests', { command: ['true'], owner_uuid: other });
    await cluster.create('collections', { name: 'reads' });
    await cluster.create('links', { link_class: 'docker_image_hash' });
    const owners = bodies.map((body) => JSON.parse(body)).map((body) => Object.values<{ owner_uuid?: string }>(body));
    expect(owners.map((values) => values.find((value) => value?.owner_uuid)?.owner_uuid)).toEqual([
      project,
      other,
      project,
      undefined,
    ]);
  });
});

describe('a cluster that fails for now', () => {
  it('is asked again after 5xx, 429, cut answers and hang-ups', async () => {
    const { cluster, server } = await open(status(502, '<html>'), cutShort('{"uuid"'), hangUp, json({ uuid }));
    expect(await cluster.get('container_requests', uuid)).toMatchObject({ uuid });
    expect(server.requests).toHaveLength(5);
  });

  it('is given up on, and its words are told', async () => {
    const { cluster, server } = await open(errors('database is gone', 503));
    await expect(cluster.list('links', {})).rejects.toMatchObject({
      code: 'api/unavailable',
      retryable: true,
      message: `${server.url} answered 503: database is gone (1234+ab)`,
    });
    expect(server.requests).toHaveLength(5);
  });

  it('is not asked again where it would say the same', async () => {
    for (const [answer, code, message] of [
      [errors('Unauthorized', 401), 'api/not-authorized', 'token refused: Unauthorized'],
      [errors('not yours', 403), 'api/not-authorized', 'not yours'],
      [errors('Path not found', 404), 'api/not-found', 'Path not found'],
      [
        status(200, '<html>login</html>'),
        'api/bad-response',
        /^expected JSON from http\S+, got "<html>login<\/html>"$/,
      ],
      [json({ items: [] }), 'api/bad-response', /^expected a record of links, got \{"items":\[\]\}$/],
      [
        status(302, '', { location: 'https://elsewhere.example' }),
        'api/bad-response',
        /answered 302: it sends us elsewhere/,
      ],
    ] as const) {
      const { cluster, server } = await open(answer);
      await expect(cluster.get('links', uuid)).rejects.toMatchObject({
        code,
        message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
      });
      expect(server.requests).toHaveLength(2);
    }
  });

  it('says by the kind of call what is wrong with it', async () => {
    const refusal = errors('no such attribute', 422);
    const { cluster } = await open(refusal);
    await expect(cluster.list('links', { filters: [['x', '=', 1]] })).rejects.toMatchObject({ code: 'api/bad-filter' });
    await expect(cluster.create('links', { name: 'x' })).rejects.toMatchObject({ code: 'api/bad-attribute' });
    await expect(cluster.update('links', uuid, { name: 'x' })).rejects.toMatchObject({ code: 'api/forbidden-change' });
  });
});

describe('a request is submitted once', () => {
  const submission = (body: string): unknown =>
    (JSON.parse(body) as { container_request: { properties: Record<string, unknown> } }).container_request.properties[
      'hm:submission'
    ];

  it('also when the answer to it was lost: it is found by the name of its submission', async () => {
    const { cluster, server, bodies } = await open(hangUp, json({ items: [{ uuid, state: 'Committed' }] }));
    expect(await cluster.create('container_requests', { properties: { a: 1 } })).toMatchObject({ uuid });
    expect(server.requests.map((line) => line.split('?')[0])).toEqual([
      'GET /discovery/v1/apis/arvados/v1/rest',
      'POST /arvados/v1/container_requests',
      'GET /arvados/v1/container_requests',
    ]);
    expect(decodeURIComponent(server.requests[2] ?? '')).toContain(String(submission(bodies[0] ?? '')));
  });

  it('and sent again when it never arrived', async () => {
    const { cluster, bodies } = await open(status(503), json({ items: [] }), json({ uuid }));
    expect(await cluster.create('container_requests', {})).toMatchObject({ uuid });
    expect(submission(bodies[2] ?? '')).toBe(submission(bodies[0] ?? ''));
  });
});

describe('a change is made once', () => {
  it('a state that the lost first attempt has set is not an error', async () => {
    const changed = json({ uuid: container, state: 'Complete' });
    const { cluster } = await open(hangUp, errors('cannot change state', 422), changed);
    expect(await cluster.update('containers', container, { state: 'Complete', exit_code: 0 })).toMatchObject({
      state: 'Complete',
    });
  });

  it('another state is', async () => {
    const { cluster } = await open(hangUp, errors('no', 422), json({ uuid: container, state: 'Cancelled' }));
    await expect(cluster.update('containers', container, { state: 'Complete' })).rejects.toMatchObject({
      code: 'api/forbidden-change',
      message: 'no',
    });
  });

  it('a lock is tried once, since nobody could tell whose it is', async () => {
    const { cluster, server } = await open(hangUp);
    await expect(cluster.update('containers', container, { state: 'Locked' })).rejects.toMatchObject({
      code: 'api/unavailable',
    });
    expect(server.requests.slice(1)).toEqual([`POST /arvados/v1/containers/${container}/lock`]);
  });

  it('what the lost first attempt has deleted is gone', async () => {
    const { cluster } = await open(hangUp, errors('not found', 404));
    await cluster.remove('links', uuid);
  });
});

describe('what is sent', () => {
  it('goes in a body where it is too long for a query', async () => {
    const { cluster, server, bodies } = await open(json({ items: [] }));
    const names = Array.from({ length: 500 }, (_, index) => `name ${index}`);
    await cluster.list('links', { filters: [['name', 'in', names]] });
    expect(server.requests[1]).toBe('POST /arvados/v1/links');
    const form = new URLSearchParams(bodies[0]);
    expect([form.get('_method'), form.get('limit')]).toEqual(['GET', '100']);
    expect(JSON.parse(form.get('filters') ?? '')).toEqual([['name', 'in', names]]);
  });

  it('is refused here where the cluster would not take it', async () => {
    const { cluster, server } = await open(json({}));
    await expect(cluster.create('collections', { manifest_text: 'x'.repeat(6000) })).rejects.toMatchObject({
      code: 'api/bad-attribute',
      message: expect.stringMatching(/^collections: expected at most 5000 bytes a request, got 60\d\d$/) as string,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('says which attributes of the answer are looked at', async () => {
    const { cluster, bodies } = await open(json({ uuid: container, state: 'Running', modified_at: '1' }));
    await cluster.update('containers', container, { state: 'Running' }, { select: ['uuid'] });
    expect(JSON.parse(bodies[0] ?? '')).toEqual({
      container: { state: 'Running' },
      select: ['uuid', 'modified_at', 'state'],
    });
  });

  it('has collections named apart by the cluster', async () => {
    const { cluster, bodies } = await open(json({ uuid }));
    await cluster.create('collections', { name: 'output' });
    expect(JSON.parse(bodies[0] ?? '')).toEqual({ collection: { name: 'output' }, ensure_unique_name: true });
  });
});

describe('a cluster that cannot be opened', () => {
  const openAt = (url: string) =>
    openArvados({ url, token, insecure: false, keepServices: [] }, { logger: silentLogger, retryDelaysMs: [1] });

  it.each([
    ['a page', status(200, '<html>Workbench</html>'), /^expected JSON from/],
    ['something else', json({ hello: 1 }), /^expected the discovery document of an Arvados cluster/],
  ])('is %s', async (_what, answer, message) => {
    const server = await startServer(answer);
    await expect(openAt(server.url)).rejects.toMatchObject({
      code: 'api/bad-response',
      message: expect.stringMatching(message) as string,
    });
  });

  it('is nowhere', async () => {
    const server = await startServer(status(200));
    await server.close();
    await expect(openAt(server.url)).rejects.toMatchObject({
      code: 'api/unavailable',
      message: expect.stringMatching(/^cannot reach http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/) as string,
      hint: 'check ARVADOS_API_HOST and the network',
    });
  });
});
