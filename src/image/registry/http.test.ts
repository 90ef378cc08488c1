import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpSend } from './http.ts';

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) server.close().closeAllConnections();
});

/** Answers with the URL it was asked for, after `delayMs`. */
async function echo(delayMs = 0): Promise<string> {
  const server = createServer((request, response) => {
    setTimeout(() => response.end(`${request.method} ${request.url} ${request.headers['user-agent']}`), delayMs);
  });
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const get = (url: string) => ({ method: 'GET', url: new URL(url), headers: {} }) as const;

describe('createHttpSend', () => {
  it('goes through the proxy of the environment, but not to loopback', async () => {
    const [proxy, registry] = [await echo(), await echo()];
    const send = createHttpSend({ userAgent: 'hm/1', proxyEnv: { HTTP_PROXY: proxy, NO_PROXY: '' } });
    expect(await text((await send(get('http://registry.test/v2/'))).body)).toBe('GET http://registry.test/v2/ hm/1');
    expect(await text((await send(get(`${registry}/v2/`))).body)).toBe('GET /v2/ hm/1');
  });

  it('follows no redirect and takes any status for an answer', async () => {
    const server = createServer((_request, response) => response.writeHead(307, { location: '/elsewhere' }).end());
    running.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const response = await createHttpSend()(get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
    expect([response.status, response.headers.location]).toEqual([307, '/elsewhere']);
    response.body.destroy();
  });

  it('gives up when no answer comes', async () => {
    const send = createHttpSend({ responseTimeoutMs: 50 });
    await expect(send(get(await echo(10_000)))).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('stops at an abort', async () => {
    const abort = new AbortController();
    const waiting = createHttpSend()({ ...get(await echo(10_000)), signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });
});
