import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { isPortableDataHash } from '../../src/core/ids.ts';
import { isJsonObject } from '../../src/core/json.ts';

export interface StockArvados {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A cluster as Arvados releases it, made of the HTTP face at `target`: containers run images of Keep and nothing else, and manifests are
 * not searched.
 */
export async function startStockArvados(target: string): Promise<StockArvados> {
  const server = createServer((request, response) => void answer(target, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const problem = refusalOf(request, body);
  if (problem !== undefined) {
    response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: [problem] }));
    return;
  }
  const headers = { ...request.headers, host: new URL(target).host };
  const asked = httpRequest(`${target}${request.url}`, { method: request.method ?? 'GET', headers }, (got) => {
    if (request.url?.startsWith('/discovery/')) return void sendDiscovery(got, response);
    if (request.url?.startsWith('/arvados/v1/keep_services')) return void sendServices(request, response);
    response.writeHead(got.statusCode ?? 500, got.headers);
    got.pipe(response);
  });
  asked.on('error', () => response.destroy());
  asked.end(body);
}

function refusalOf({ method, url = '' }: IncomingMessage, body: Buffer): string | undefined {
  if (
    decodeURIComponent(
      `${url} ${url.startsWith('/arvados/') ? body : ''}`.replace(/%(?![0-9A-F]{2})/gi, '%25'),
    ).includes('["manifest_text","like"')
  ) {
    return "Invalid attribute 'manifest_text' in filter";
  }
  if (!url.startsWith('/arvados/v1/container_requests') || (method !== 'POST' && method !== 'PUT')) return undefined;
  if (body.toString().startsWith('_method=GET')) return undefined;
  const given = (JSON.parse(body.toString() || '{}') as { container_request?: unknown }).container_request;
  if (!isJsonObject(given) || given.state !== 'Committed') return undefined;
  const { container_image: image } = given;
  return isPortableDataHash(String(image)) ? undefined : `no image found for ${String(image)}`;
}

async function sendDiscovery(got: IncomingMessage, response: ServerResponse): Promise<void> {
  const { specialContainerImages: _none, ...document } = JSON.parse((await buffer(got)).toString()) as Record<
    string,
    unknown
  >;
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

function sendServices({ headers }: IncomingMessage, response: ServerResponse): void {
  const { hostname, port } = new URL(`http://${headers.host}`);
  const service = {
    service_host: hostname,
    service_port: Number(port),
    service_ssl_flag: false,
    service_type: 'proxy',
  };
  const items = [{ uuid: 'zzzzz-bi6l4-000000000000000', ...service }];
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items, items_available: 1 }));
}
