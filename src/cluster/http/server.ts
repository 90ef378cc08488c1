import { hash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { apiError } from '../../api/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { BlockStore } from '../../keep/port.ts';
import type { Cluster } from '../cluster.ts';
import { answerBlock, isBlockPath } from './blocks.ts';
import { readParameters } from './parameters.ts';
import { toErrorResponse } from './responses.ts';
import { route } from './routes.ts';

export interface HttpFaceOptions {
  readonly cluster: Cluster;
  /** Served as the one keepstore of the cluster. */
  readonly blocks: BlockStore;
  /** Clients send it as `Authorization: Bearer …` or `OAuth2 …`. */
  readonly token: string;
  /** 0: any free one. */
  readonly port?: number;
  /** With it https is spoken: Arvados' own clients speak nothing else. */
  readonly tls?: TlsFiles;
  readonly logger: Logger;
}

/** Contents of PEM files. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface HttpFace {
  /** `http://127.0.0.1:PORT`, or `https:` */
  readonly url: string;
  close(): Promise<void>;
}

/** The Arvados REST API and the Keep of an embedded cluster, for this machine only. */
export async function serveCluster(options: HttpFaceOptions): Promise<HttpFace> {
  const { tls } = options;
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(options, request, response);
  const server = tls ? createTlsServer({ ...tls }, listener) : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${schemeOf(options)}://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const schemeOf = ({ tls }: HttpFaceOptions) => (tls ? 'https' : 'http');

async function answer(options: HttpFaceOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const own = `${schemeOf(options)}://${request.headers.host}`;
    checkOrigin(request, own);
    const url = new URL(request.url ?? '/', own);
    const isPublic = url.pathname.startsWith('/discovery/');
    if (!isPublic) checkToken(options.token, request);
    if (isBlockPath(url.pathname)) return await answerBlock(options.blocks, request, response, url.pathname);
    const parameters = await readParameters(request, url);
    send(response, 200, await route(options, { ...parameters, url }));
  } catch (error) {
    const { status, body } = toErrorResponse(error, options.logger);
    send(response, status, body);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** A page of the web that reaches this port through a name of its own, or posts to it, is turned away before anything else. */
function checkOrigin(request: IncomingMessage, own: string): void {
  const { host = '', origin } = request.headers;
  const isLocal = loopbackHost.test(host);
  if (isLocal && (origin === undefined || origin === own)) return;
  const from = isLocal ? `origin ${JSON.stringify(origin)}` : `host ${JSON.stringify(host)}`;
  throw apiError('api/not-authorized', `refused a request with ${from}: this cluster serves only its own machine`);
}

function checkToken(token: string, request: IncomingMessage): void {
  const [scheme = '', given = ''] = (request.headers.authorization ?? '').split(' ');
  const digest = (text: string) => hash('sha256', text, 'buffer');
  if (/^(bearer|oauth2)$/i.test(scheme) && timingSafeEqual(digest(secretOf(given)), digest(token))) return;
  throw apiError(
    'api/not-authorized',
    'not logged in: expected "Authorization: Bearer <token>" with the token of this cluster',
    {
      hint: 'take the token that the server printed when it started',
    },
  );
}

/** Of a token of version 2, `v2/<uuid>/<secret>`, and of one that is the secret itself (Arvados API, "Tokens"). */
const secretOf = (token: string): string => (token.startsWith('v2/') ? (token.split('/')[2] ?? '') : token);
