import { hash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { cutShort, hangUp, inTurn, startServer, status } from '../../../test/fakes/http-server.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { silentLogger } from '../../core/logger.ts';
import { createHttpClient, type HttpClient } from '../http.ts';
import { createHttpKeep } from './http-store.ts';
import { type KeepService, parseServices, sortServices, toServices } from './services.ts';
import { createSignatures } from './signatures.ts';

const http = createHttpClient({ insecure: false, timeoutMs: 2000 });
afterAll(() => http.close());

const hello = Buffer.from('hello\n');
const locator = 'b1946ac92492d2347c6235b4d2611184+6' as BlockLocator;
const signed = `${locator}+A1f27a35dd9af37191d63ad8eb8985624451e7b79@5835c8bc`;

const disk = (root: string, index = 0): KeepService => ({
  uuid: `zzzzz-bi6l4-${String(index).padStart(15, '0')}`,
  root,
  readOnly: false,
  isProxy: false,
});

const keepOf = (
  services: readonly KeepService[],
  more: { copies?: number; attempts?: number; http?: HttpClient } = {},
) =>
  createHttpKeep({
    http: more.http ?? http,
    token: 'the-token',
    services: async () => services,
    copies: more.copies ?? 1,
    signatures: createSignatures(),
    retry: { delaysMs: Array.from({ length: (more.attempts ?? 4) - 1 }, () => 1), logger: silentLogger },
  });

describe('the order of services', () => {
  it.each(['3eab2d5fc9681074', '097dba52e648f1c3', 'c5b4e023f8a7d691', '9d81c02e76a3bf54'].entries().toArray())(
    'is that of the other clients: block %i, %s',
    (block, expected) => {
      const names = [...'0123456789abcdef'];
      const services = names.map((name) => ({ ...disk(name), uuid: `zzzzz-bi6l4-${name.padStart(15, '0')}` }));
      const md5 = hash('md5', block.toString(16).padStart(64, '0'), 'hex');
      expect(sortServices(services, md5).map(({ root }) => root)).toEqual([...expected]);
    },
  );
});

describe('the services of a cluster', () => {
  it('are read from its list and from the setting', () => {
    const item = { uuid: 'u', service_host: 'keep.example', service_port: 443, service_ssl_flag: true };
    const [proxy, local] = parseServices({
      items: [
        { ...item, service_type: 'proxy' },
        { ...item, service_type: 'disk', service_ssl_flag: false, service_port: 25107, read_only: true },
      ],
    });
    expect(proxy).toEqual({ uuid: 'u', root: 'https://keep.example:443', readOnly: false, isProxy: true });
    expect(local).toEqual({ uuid: 'u', root: 'http://keep.example:25107', readOnly: true, isProxy: false });
    expect(toServices(['https://a/', 'https://b']).map(({ root }) => root)).toEqual(['https://a', 'https://b']);
  });

  it.each([[{}], [{ items: [{}] }], [[]]])('are not %j', (answer) => {
    expect(() => parseServices(answer)).toThrowError(/^expected a (list of )?keep service/);
  });
});

describe('reading a block', () => {
  it('asks with the hints and the token, the next service after one that lacks it', async () => {
    const tokens: unknown[] = [];
    const lacking = await startServer(status(404));
    const holding = await startServer((request, response) => {
      tokens.push(request.headers.authorization);
      response.end(hello);
    });
    const remote = `${locator}+Rzbbbb-1f27a35dd9af37191d63ad8eb8985624451e7b79@5835c8bc` as BlockLocator;
    const keep = keepOf([disk(lacking.url, 1), disk(holding.url, 2)]);
    expect(Buffer.from(await keep.read(remote)).toString()).toBe('hello\n');
    expect(holding.requests).toEqual([`GET /${remote}`]);
    expect(tokens).toEqual(['Bearer the-token']);
  });

  it('outlasts servers that fail, cut bodies and hang up', async () => {
    const server = await startServer(inTurn(status(503), cutShort('hel'), hangUp, status(429), status(200, 'hello\n')));
    expect(Buffer.from(await keepOf([disk(server.url)], { attempts: 5 }).read(locator)).toString()).toBe('hello\n');
    expect(server.requests).toHaveLength(5);
  });

  it('outlasts a server that falls silent', async () => {
    const impatient = createHttpClient({ insecure: false, timeoutMs: 50 });
    const silent = (): void => {};
    const half = (...[, response]: Parameters<ReturnType<typeof status>>): void => {
      response.writeHead(200, { 'content-length': '6' }).write('hel');
    };
    const server = await startServer(inTurn(silent, half, status(200, 'hello\n')));
    const keep = keepOf([disk(server.url)], { http: impatient });
    expect(Buffer.from(await keep.read(locator)).toString()).toBe('hello\n');
    expect(server.requests).toHaveLength(3);
    impatient.close();
  });

  it('takes the bytes of another service than the one whose bytes are wrong', async () => {
    const wrong = await startServer(status(200, 'hellO\n'));
    const longer = await startServer(status(200, 'hello\n and more'));
    const right = await startServer(status(200, 'hello\n'));
    const services = [wrong, longer, right].map(({ url }, index) => disk(url, index));
    expect(Buffer.from(await keepOf(services).read(locator)).toString()).toBe('hello\n');
  });

  it.each([
    ['hellO\n', /^block is damaged: expected b194\S+\+6, got [0-9a-f]{32}\+6 from http:/],
    ['hello\nx', /^block is damaged: expected b194\S+\+6, got more than 6 bytes from http:/],
    ['hel', /^block is damaged: expected b194\S+\+6, got [0-9a-f]{32}\+3 from http:/],
  ])('never gives bytes that are not the block: %j', async (body, message) => {
    const server = await startServer(status(200, body));
    await expect(keepOf([disk(server.url)]).read(locator)).rejects.toMatchObject({
      code: 'keep/block-damaged',
      message: expect.stringMatching(message) as string,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('says in one line that the token is refused, and asks once', async () => {
    const server = await startServer(status(401, 'Unauthorized\n'));
    await expect(keepOf([disk(server.url, 1), disk(server.url, 2)]).read(locator)).rejects.toMatchObject({
      code: 'api/not-authorized',
      message: 'token refused: Unauthorized',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('gives the reason of a service that refuses', async () => {
    const server = await startServer(status(403, 'signature expired\n'));
    await expect(keepOf([disk(server.url)]).read(locator)).rejects.toMatchObject({
      code: 'keep/store-failed',
      retryable: false,
      message: expect.stringMatching(/^cannot read block b194\S+: http\S+ answered 403: signature expired$/) as string,
    });
  });

  it('gives up on servers that stay down, and says which', async () => {
    const down = await startServer(status(200));
    await down.close();
    await expect(keepOf([disk(down.url)], { attempts: 2 }).read(locator)).rejects.toMatchObject({
      code: 'keep/store-failed',
      retryable: true,
      message: expect.stringContaining(`cannot reach ${down.url}`) as string,
    });
  });
});

describe('writing a block', () => {
  const storing =
    (replicas: string) =>
    (...[, response]: Parameters<ReturnType<typeof status>>) =>
      void response.writeHead(200, { 'x-keep-replicas-stored': replicas }).end(`${signed}\n`);

  it('gives the signed locator', async () => {
    const server = await startServer(storing('1'));
    expect(await keepOf([disk(server.url)]).write(hello)).toBe(signed);
    expect(server.requests).toEqual(['PUT /b1946ac92492d2347c6235b4d2611184']);
  });

  it('stores each copy on a disk of its own', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => startServer(storing('1'))));
    await keepOf(
      servers.map(({ url }, index) => disk(url, index)),
      { copies: 2 },
    ).write(hello);
    expect(servers.map(({ requests }) => requests.length).sort()).toEqual([0, 1, 1]);
  });

  it('leaves the copies to a proxy', async () => {
    const wanted: unknown[] = [];
    const server = await startServer((request, response) => {
      wanted.push(request.headers['x-keep-desired-replicas']);
      response.writeHead(200, { 'x-keep-replicas-stored': '2' }).end(signed);
    });
    await keepOf(toServices([server.url]), { copies: 2 }).write(hello);
    expect(wanted).toEqual(['2']);
  });

  it('tries others, then the same ones again, until there are enough copies', async () => {
    const full = await startServer(status(507, 'full'));
    const flaky = await startServer(inTurn(status(500), hangUp, storing('1')));
    const good = await startServer(storing('1'));
    const services = [full, flaky, good].map(({ url }, index) => disk(url, index));
    expect(await keepOf(services, { copies: 2 }).write(hello)).toBe(signed);
    expect([full, flaky, good].map(({ requests }) => requests.length)).toEqual([1, 3, 1]);
  });

  it('does not pass over services that are full for good', async () => {
    const full = await startServer(status(507, 'full'));
    const readOnly = { ...disk(full.url, 2), readOnly: true };
    await expect(keepOf([disk(full.url, 1), readOnly]).write(hello)).rejects.toMatchObject({
      code: 'keep/store-failed',
      message: `cannot store block ${locator}: expected 1 copies, got 0: ${full.url} answered 507: full`,
    });
    expect(full.requests).toHaveLength(1);
  });

  it('does not take the locator of another block for its own', async () => {
    const server = await startServer(status(200, 'd41d8cd98f00b204e9800998ecf8427e+0'));
    await expect(keepOf([disk(server.url)]).write(hello)).rejects.toMatchObject({
      code: 'keep/store-failed',
      message: expect.stringContaining(`expected the locator ${locator}, got "d41d8`) as string,
    });
  });
});

describe('looking for a block', () => {
  it('goes by the length too', async () => {
    const server = await startServer(status(200, '', { 'content-length': '5' }));
    expect(await keepOf([disk(server.url)]).has(locator)).toBe(false);
  });

  it('is not sure while a service is down', async () => {
    const server = await startServer(status(500));
    await expect(keepOf([disk(server.url)], { attempts: 2 }).has(locator)).rejects.toMatchObject({
      code: 'keep/store-failed',
      retryable: true,
    });
  });
});
