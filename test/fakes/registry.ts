import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { mediaTypes } from '../../src/image/media-types.ts';
import type { Descriptor, Image, Platform } from '../../src/image/model.ts';
import { digestOf } from '../../src/image/streams.ts';

export interface FakeRegistryOptions {
  /** 0, the default, takes any free port of 127.0.0.1. */
  readonly port?: number;
  readonly auth?: 'none' | 'basic' | 'token';
  /** Passwords by user name. With 'token' and no users anybody gets a token, but must fetch it. */
  readonly users?: Readonly<Record<string, string>>;
  /** The refresh token that the token server takes for `identitytoken`. */
  readonly identityToken?: string;
}

/** Faults on command. Counters go down by one for each time the fault happens. */
export interface RegistryFaults {
  /** Ends the connection after this many bytes of a blob. */
  cutBlob?: { afterBytes: number; times: number };
  /** Serves blobs with one bit flipped. */
  flipBit?: boolean;
  /** Serves another manifest than the one asked for by digest. */
  swapManifests?: boolean;
  /** Answers with this status. */
  fail?: { status: number; times: number; headers?: Record<string, string>; path?: RegExp };
  /** Answers late. */
  slow?: { delayMs: number; times: number; path?: RegExp };
  /** Redirects blobs to this origin. */
  redirectBlobs?: string;
  /** Answers the whole blob to a range request. */
  ignoreRange?: boolean;
  /** Leaves Docker-Content-Digest out. */
  hideDigest?: boolean;
  /** Sends the head of a blob, of this one alone where it is named, and so many of its bytes, then nothing more. */
  stall?: { times: number; digest?: string; afterBytes?: number };
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

interface StoredBlob {
  readonly size: number;
  open(start: number): Promise<Readable>;
}

/** A small real registry on loopback: OCI distribution-spec 1.1, pull and push, in memory. */
export interface FakeRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly faults: RegistryFaults;
  /** Every request so far, oldest first. */
  readonly seen: SeenRequest[];
  /** Adds an image under a tag (which moves, where it exists) and returns the descriptor of its manifest. */
  add(repository: string, tag: string, image: Image): Descriptor;
  /** Adds an index. Members are what `add` or `addIndex` returned. */
  addIndex(repository: string, tag: string, members: readonly (Descriptor & { platform?: Platform })[]): Descriptor;
  addManifest(repository: string, tag: string, mediaType: string, content: unknown): Descriptor;
  addBlob(bytes: Uint8Array): Descriptor;
  removeBlob(digest: string): void;
  close(): Promise<void>;
}

interface State {
  readonly options: FakeRegistryOptions;
  readonly faults: RegistryFaults;
  readonly blobs: Map<string, StoredBlob>;
  /** `repository@digest` and `repository:tag` to manifest. */
  readonly manifests: Map<string, { mediaType: string; bytes: Buffer }>;
  readonly uploads: Map<string, Buffer[]>;
  readonly tokens: Set<string>;
}

export async function startRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const state: State = {
    options,
    faults: {},
    blobs: new Map(),
    manifests: new Map(),
    uploads: new Map(),
    tokens: new Set(),
  };
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    handle(state, request, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, faults: state.faults, seen, ...contents(state), close: () => close(server) };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function contents(state: State) {
  const addBlob = (bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    state.blobs.set(digest, { size: bytes.length, open: async (start) => Readable.from([bytes.subarray(start)]) });
    return { mediaType: 'application/octet-stream', digest, size: bytes.length };
  };
  const addManifest = (repository: string, tag: string, mediaType: string, content: unknown): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    for (const name of [`${repository}@${digest}`, `${repository}:${tag}`])
      state.manifests.set(name, { mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  };
  return {
    addBlob,
    addManifest,
    removeBlob: (digest: string) => void state.blobs.delete(digest),
    add(repository: string, tag: string, image: Image): Descriptor {
      for (const { descriptor, open } of image.layers) {
        state.blobs.set(descriptor.digest, { size: descriptor.size, open: async (start) => skip(await open(), start) });
      }
      const config = { ...addBlob(image.configBytes), mediaType: mediaTypes.ociConfig };
      const layers = image.layers.map(({ descriptor }) => descriptor);
      return addManifest(repository, tag, mediaTypes.ociManifest, {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config,
        layers,
      });
    },
    addIndex: (repository: string, tag: string, manifests: readonly Descriptor[]): Descriptor =>
      addManifest(repository, tag, mediaTypes.ociIndex, {
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests,
      }),
  };
}

function skip(stream: Readable, bytes: number): Readable {
  return Readable.from(
    (async function* () {
      let left = bytes;
      for await (const chunk of stream) {
        const rest = (chunk as Buffer).subarray(Math.min(left, chunk.length));
        left -= chunk.length - rest.length;
        if (rest.length > 0) yield rest;
      }
    })(),
    { objectMode: false },
  );
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry');
  if (url.pathname === '/token') return serveToken(state, request, url, response);
  const { fail, slow } = state.faults;
  if (slow && slow.times > 0 && (slow.path ?? /./).test(url.pathname)) {
    slow.times -= 1;
    await new Promise((resolve) => setTimeout(resolve, slow.delayMs).unref());
  }
  if (fail && fail.times > 0 && (fail.path ?? /./).test(url.pathname)) {
    fail.times -= 1;
    return refuse(response, fail.status, 'FAULT', 'a fault on command', fail.headers);
  }
  if (!isAllowed(state, request)) return challenge(state, request, response, url);
  if (url.pathname === '/v2/') return void response.writeHead(200).end('{}');
  const match = /^\/v2\/(.+)\/(manifests|blobs)\/(uploads\/)?([^/]*)$/.exec(url.pathname);
  const [, repository = '', kind, isUpload, name = ''] = match ?? [];
  if (kind === 'manifests') return serveManifest(state, request, response, repository, name);
  if (isUpload) return takeUpload(state, request, response, { repository, id: name, url });
  if (kind === 'blobs') return serveBlob(state, request, response, name);
  refuse(response, 404, 'NOT_FOUND', 'no such path');
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

function isAllowed({ options, tokens }: State, { headers }: IncomingMessage): boolean {
  const [scheme = '', value = ''] = (headers.authorization ?? '').split(' ');
  if (options.auth === 'basic') return scheme === 'Basic' && isUser(options, value);
  return options.auth !== 'token' || (scheme === 'Bearer' && tokens.has(value));
}

function isUser({ users = {} }: FakeRegistryOptions, basic: string): boolean {
  const [name = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return users[name] !== undefined && users[name] === password.join(':');
}

function challenge({ options }: State, request: IncomingMessage, response: ServerResponse, url: URL): void {
  const repository = /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(url.pathname)?.[1];
  const scope = repository ? `,scope="repository:${repository}:pull"` : '';
  const bearer = `Bearer realm="http://${request.headers.host}/token",service="fake"${scope}`;
  const value = options.auth === 'basic' ? 'Basic realm="fake"' : bearer;
  refuse(response, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': value });
}

async function serveToken(
  { options, tokens }: State,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const form = request.method === 'POST' ? new URLSearchParams((await buffer(request)).toString()) : undefined;
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const isKnown = form
    ? options.identityToken !== undefined && form.get('refresh_token') === options.identityToken
    : options.users === undefined || isUser(options, basic);
  const scope = form?.get('scope') ?? url.searchParams.get('scope');
  if (!isKnown || !scope) return refuse(response, 401, 'UNAUTHORIZED', 'wrong user or password');
  const token = randomUUID();
  tokens.add(token);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token, expires_in: 300 }));
}

async function serveManifest(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  name: string,
) {
  const isDigest = name.startsWith('sha256:');
  if (request.method === 'PUT') {
    const bytes = await buffer(request);
    const digest = digestOf(bytes);
    const manifest = { mediaType: request.headers['content-type'] ?? '', bytes };
    state.manifests.set(`${repository}@${digest}`, manifest);
    if (!isDigest) state.manifests.set(`${repository}:${name}`, manifest);
    return void response
      .writeHead(201, { 'docker-content-digest': digest, location: `/v2/${repository}/manifests/${digest}` })
      .end();
  }
  let found = state.manifests.get(isDigest ? `${repository}@${name}` : `${repository}:${name}`);
  if (isDigest && state.faults.swapManifests)
    found = [...state.manifests.values()].find(({ bytes }) => digestOf(bytes) !== name);
  if (!found) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  const digest = state.faults.hideDigest ? {} : { 'docker-content-digest': digestOf(found.bytes) };
  response.writeHead(200, { 'content-type': found.mediaType, 'content-length': found.bytes.length, ...digest });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}

async function serveBlob(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  digest: string,
): Promise<void> {
  const { faults } = state;
  const blob = state.blobs.get(digest);
  if (!blob) return refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  if (faults.redirectBlobs)
    return void response.writeHead(307, { location: `${faults.redirectBlobs}${request.url}` }).end();
  const range = faults.ignoreRange ? undefined : /^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1];
  const start = Number(range ?? 0);
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': blob.size - start,
    ...(range !== undefined && { 'content-range': `bytes ${start}-${blob.size - 1}/${blob.size}` }),
  });
  if (request.method === 'HEAD') return void response.end();
  const { stall } = faults;
  if (stall && stall.times > 0 && (stall.digest ?? digest) === digest) {
    stall.times -= 1;
    response.flushHeaders();
    for await (const piece of await blob.open(start)) {
      return void response.write(Buffer.from(piece as Uint8Array).subarray(0, stall.afterBytes ?? 0));
    }
  }
  await sendBlob(response, await blob.open(start), faults);
}

async function sendBlob(response: ServerResponse, content: Readable, faults: RegistryFaults): Promise<void> {
  let sent = 0;
  for await (const piece of content) {
    const chunk = Buffer.from(piece as Uint8Array);
    if (faults.flipBit && sent === 0) chunk[0] = (chunk[0] ?? 0) ^ 1;
    const { cutBlob } = faults;
    if (cutBlob && cutBlob.times > 0 && sent + chunk.length > cutBlob.afterBytes) {
      cutBlob.times -= 1;
      response.write(chunk.subarray(0, cutBlob.afterBytes - sent), () => response.destroy());
      return;
    }
    sent += chunk.length;
    if (!response.write(chunk)) await room(response);
  }
  response.end();
}

interface Upload {
  readonly repository: string;
  readonly id: string;
  readonly url: URL;
}

/** POST opens an upload, PATCH adds to it, PUT ends it and names the digest. */
async function takeUpload(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  { repository, id, url }: Upload,
) {
  const uploadId = request.method === 'POST' ? randomUUID() : id;
  const parts = state.uploads.get(uploadId) ?? [];
  state.uploads.set(uploadId, parts);
  parts.push(await buffer(request));
  const digest = url.searchParams.get('digest');
  if (digest === null) {
    const end = Math.max(0, parts.reduce((total, part) => total + part.length, 0) - 1);
    const headers = { location: `/v2/${repository}/blobs/uploads/${uploadId}`, range: `0-${end}` };
    return void response.writeHead(202, headers).end();
  }
  const bytes = Buffer.concat(parts);
  state.uploads.delete(uploadId);
  const got = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (got !== digest) return refuse(response, 400, 'DIGEST_INVALID', `expected ${digest}, got ${got}`);
  state.blobs.set(digest, { size: bytes.length, open: async (start) => Readable.from([bytes.subarray(start)]) });
  response.writeHead(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest }).end();
}

/** Until more can be written, or nobody reads any more. */
function room(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
