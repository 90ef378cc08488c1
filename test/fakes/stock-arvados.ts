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
 * A cluster as Arvados releases it, made of the HTTP face at `target`: containers run images of Keep and nothing else, manifests are not
 * searched, and locators are signed: blocks are given, and taken into collections, for signed ones only.
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
  const problem = refusalOf(request, body) ?? unsignedIn(request, body);
  if (problem !== undefined) {
    response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ errors: [problem] }));
    return;
  }
  if (isUnsignedBlock(request)) return void response.writeHead(403).end('expected a signed locator\n');
  const headers = { ...request.headers, host: new URL(target).host };
  const asked = httpRequest(`${target}${request.url}`, { method: request.method ?? 'GET', headers }, (got) => {
    if (request.url?.startsWith('/discovery/')) return void sendDiscovery(got, response);
    if (request.url?.startsWith('/arvados/v1/keep_services')) return void sendServices(request, response);
    if (/json|text/.test(got.headers['content-type'] ?? '')) return void sendSigned(got, response);
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

const signature = `+A${'0123456789abcdef'.repeat(3).slice(0, 40)}@ffffffff`;
const emptyBlock = 'd41d8cd98f00b204e9800998ecf8427e+0';

function unsignedIn({ method, url = '' }: IncomingMessage, body: Buffer): string | undefined {
  if (!/^\/arvados\/v1\/collections/.test(url) || !/^(POST|PUT)$/.test(method ?? '')) return undefined;
  const [, manifest = ''] = /"manifest_text":("(?:[^"\\]|\\.)*")/.exec(body.toString()) ?? [];
  const unsigned = [...manifest.matchAll(/ ([0-9a-f]{32}\+\d+)(?= )/g)].find(([, locator]) => locator !== emptyBlock);
  return unsigned && `Cannot sign ${unsigned[1]}: permission denied`;
}

const isUnsignedBlock = ({ method, url = '' }: IncomingMessage): boolean =>
  method !== 'PUT' && /^\/[0-9a-f]{32}/.test(url) && !url.includes(signature);

/** In manifests, and in the answer to a PUT. */
async function sendSigned(got: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = (await buffer(got)).toString().replaceAll(/[0-9a-f]{32}\+\d+(?=[ \n])/g, `$&${signature}`);
  const headers = { ...got.headers, 'content-length': Buffer.byteLength(text) };
  response.writeHead(got.statusCode ?? 500, headers).end(text);
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
