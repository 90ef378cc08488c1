import { HallmarkError, isHallmarkError } from '../../core/errors.ts';
import { type Digest, isDigest } from '../../core/ids.ts';
import { type Logger, silentLogger } from '../../core/logger.ts';
import { imageError } from '../errors.ts';
import { makeImage } from '../make-image.ts';
import { type Manifest, maxManifestBytes, parseManifest } from '../manifest.ts';
import { manifestAccept } from '../media-types.ts';
import type { Descriptor, Image, Platform } from '../model.ts';
import { choosePlatform, formatPlatform, hostPlatform } from '../platform.ts';
import { formatReference, type ImageReference } from '../reference.ts';
import { checkBytes, digestOf, readBounded } from '../streams.ts';
import { createAuthorizer } from './auth.ts';
import { type BlobSource, openRegistryBlob } from './blobs.ts';
import { createHttpSend } from './http.ts';
import type { CredentialStore, HttpResponse, HttpSend, RegistryDirectory, RegistryEndpoint } from './port.ts';
import {
  createSession,
  defaultRetryPolicy,
  type RegistrySession,
  type RetryListener,
  type RetryPolicy,
} from './session.ts';

export interface RegistryClientOptions {
  readonly directory: RegistryDirectory;
  readonly credentials: CredentialStore;
  readonly logger?: Logger;
  readonly send?: HttpSend;
  readonly policy?: RetryPolicy;
  /** Longest wait for the next bytes of a blob; 60 s unless said. */
  readonly stallTimeoutMs?: number;
}

export interface PullOptions {
  /** This machine's unless said. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
  readonly onRetry?: RetryListener;
}

/** What a name means in its registry now. */
export interface ResolvedReference {
  /** Where it was found: the candidate of a short name that exists. */
  readonly reference: ImageReference;
  /** Digest of the index or manifest that the name points to: the "registry digest". */
  readonly digest: Digest;
  readonly descriptor: Descriptor;
}

/** What a pull would read. No config and no layer is read for it. */
export interface PullPlan extends ResolvedReference {
  /** Digest of the manifest of the chosen platform; equals `digest` where the name points to no index. */
  readonly manifestDigest: Digest;
  readonly imageHash: Digest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Of config and layers as the registry serves them, a repeated layer once. */
  readonly sizeBytes: number;
}

export interface RegistryImage extends Image {
  readonly plan: PullPlan;
}

/** Reads images from registries: OCI distribution-spec 1.1, "Pull". Safe for concurrent use; remembers tokens and origins. */
export interface RegistryClient {
  /** Fails unless the registry of `reference` answers. Being asked for a login counts as an answer. */
  ping(reference: ImageReference, signal?: AbortSignal): Promise<void>;
  /** One HEAD request: cheap enough to ask whether a tag has moved. */
  resolve(reference: ImageReference, signal?: AbortSignal): Promise<ResolvedReference>;
  planPull(reference: ImageReference, options?: PullOptions): Promise<PullPlan>;
  /** The image with lazy layers: manifest and config are read and verified, layers when they are opened. */
  openImage(reference: ImageReference, options?: PullOptions): Promise<RegistryImage>;
}

/** An index may name indexes; deeper than this nobody nests them. */
const maxIndexDepth = 4;

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const send = options.send ?? createHttpSend();
  const policy = options.policy ?? defaultRetryPolicy;
  const session = createSession(send, createAuthorizer(send, options.credentials), policy);
  const context: Context = { ...options, session, logger: options.logger ?? silentLogger };
  const blobs = (found: Found, onRetry?: RetryListener): BlobSource => ({
    session,
    policy,
    ...(onRetry && { onRetry }),
    endpoints: [found.endpoint, ...found.others],
    stallTimeoutMs: options.stallTimeoutMs ?? 60_000,
  });
  return {
    ping: (reference, signal) => ping(context, reference, signal),
    resolve: async (reference, signal) => (await find(context, reference, 'HEAD', signal)).resolved,
    planPull: async (reference, pull = {}) => (await plan(context, reference, pull)).plan,
    async openImage(reference, pull = {}) {
      const { plan: pullPlan, found } = await plan(telling(context, pull.onRetry), reference, pull);
      const source = blobs(found, pull.onRetry);
      const what = formatReference(pullPlan.reference);
      const configBytes = await readConfig(source, pullPlan.config, what, pull.signal);
      const image = makeImage(configBytes, pullPlan.layers, what, (layer) => openRegistryBlob(source, layer));
      return { ...image, plan: pullPlan };
    },
  };
}

const telling = (context: Context, onRetry?: RetryListener): Context =>
  onRetry ? { ...context, session: (request) => context.session({ ...request, onRetry }) } : context;

interface Context {
  readonly session: RegistrySession;
  readonly directory: RegistryDirectory;
  readonly logger: Logger;
}

/** A manifest and the endpoint that served it. */
interface Found {
  readonly resolved: ResolvedReference;
  readonly endpoint: RegistryEndpoint;
  readonly others: readonly RegistryEndpoint[];
  /** Empty after a HEAD. */
  readonly bytes: Uint8Array;
}

async function ping({ session, directory }: Context, reference: ImageReference, signal?: AbortSignal): Promise<void> {
  const endpoint = directory.endpoints(reference).find(({ isMirror }) => !isMirror);
  if (!endpoint) return;
  const { registry } = endpoint;
  try {
    const response = await session({
      endpoint,
      method: 'GET',
      path: '',
      what: `registry ${registry}`,
      ...(signal && { signal }),
    });
    response.body.destroy();
  } catch (error) {
    if (!isHallmarkError(error, 'image/unauthorized', 'image/forbidden')) throw error;
  }
}

/** Tries each candidate at each of its endpoints. The error of the last one, the registry itself, is the one that counts. */
async function find(
  context: Context,
  reference: ImageReference,
  method: 'GET' | 'HEAD',
  signal?: AbortSignal,
): Promise<Found> {
  const errors: unknown[] = [];
  for (const candidate of context.directory.candidates(reference)) {
    const endpoints = context.directory.endpoints(candidate);
    for (const endpoint of endpoints) {
      const others = endpoints.filter((other) => other !== endpoint);
      try {
        return await ask(context, candidate, { endpoint, others, method, signal });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof HallmarkError)) throw error;
        context.logger.debug(error.message);
        if (!endpoint.isMirror) errors.push(error);
      }
    }
  }
  if (errors.length === 1) throw errors[0];
  const tried = errors.map((error) => (error as Error).message).join('; ');
  throw imageError('image/not-found', `${formatReference(reference)}: no registry has it: ${tried}`, {
    hint: 'write the name with its registry, or see unqualified-search-registries in registries.conf',
    cause: errors.at(-1),
  });
}

interface Asking {
  readonly endpoint: RegistryEndpoint;
  readonly others: readonly RegistryEndpoint[];
  readonly method: 'GET' | 'HEAD';
  readonly signal: AbortSignal | undefined;
}

async function ask(context: Context, reference: ImageReference, asking: Asking): Promise<Found> {
  const { endpoint, others, method, signal } = asking;
  const name = reference.digest ?? reference.tag ?? '';
  const what = formatReference(reference);
  const response = await request(context, endpoint, name, method, what, signal);
  const mediaType = `${response.headers['content-type'] ?? ''}`.split(';')[0]?.trim() ?? '';
  const stated = `${response.headers['docker-content-digest'] ?? ''}`;
  if (method === 'HEAD') {
    response.body.destroy();
    const size = Number(response.headers['content-length'] ?? Number.NaN);
    const digest = reference.digest ?? stated;
    // Some registries leave the digest out of the answer to HEAD.
    if (!isDigest(digest) || !Number.isSafeInteger(size)) return ask(context, reference, { ...asking, method: 'GET' });
    return {
      resolved: { reference, digest, descriptor: { mediaType, digest, size } },
      endpoint,
      others,
      bytes: new Uint8Array(),
    };
  }
  const bytes = await readManifestBytes(response, what);
  const digest = digestOf(bytes);
  const expected = reference.digest ?? (isDigest(stated) ? stated : digest);
  if (digest !== expected) throw mismatch(what, expected, digest);
  return {
    resolved: { reference, digest, descriptor: { mediaType, digest, size: bytes.length } },
    endpoint,
    others,
    bytes,
  };
}

function request(
  context: Context,
  endpoint: RegistryEndpoint,
  name: string,
  method: 'GET' | 'HEAD',
  what: string,
  signal?: AbortSignal,
) {
  const path = `${endpoint.repository}/manifests/${name}`;
  return context.session({
    endpoint,
    method,
    path,
    headers: { accept: manifestAccept },
    what,
    ...(signal && { signal }),
  });
}

/** Goes from the name to the manifest of the platform, through as many indexes as there are. */
async function plan(context: Context, reference: ImageReference, { platform, signal }: PullOptions) {
  const found = await find(context, reference, 'GET', signal);
  const what = formatReference(found.resolved.reference);
  let manifest = parseManifest(found.bytes, what, found.resolved.descriptor.mediaType);
  let manifestDigest = found.resolved.digest;
  for (let depth = 0; manifest.kind === 'index'; depth += 1) {
    const chosen = choose(manifest, platform ?? hostPlatform(), what, depth);
    const response = await request(context, found.endpoint, chosen.digest, 'GET', `${what} (${chosen.digest})`, signal);
    const bytes = await readManifestBytes(response, what);
    if (digestOf(bytes) !== chosen.digest) throw mismatch(what, chosen.digest, digestOf(bytes));
    manifest = parseManifest(bytes, what, chosen.mediaType);
    manifestDigest = chosen.digest;
  }
  const { config, layers } = manifest;
  const distinct = new Map([config, ...layers].map((one) => [one.digest, one.size]));
  const sizeBytes = [...distinct.values()].reduce((total, size) => total + size, 0);
  return { found, plan: { ...found.resolved, manifestDigest, imageHash: config.digest, config, layers, sizeBytes } };
}

function choose(
  index: Extract<Manifest, { kind: 'index' }>,
  platform: Platform,
  what: string,
  depth: number,
): Descriptor {
  const chosen = choosePlatform(index.manifests, platform);
  if (chosen && depth < maxIndexDepth) return chosen;
  const available = index.manifests.flatMap((one) => (one.platform ? [formatPlatform(one.platform)] : []));
  throw imageError('image/no-platform', `${what}: no image for ${formatPlatform(platform)}`, {
    hint:
      depth < maxIndexDepth
        ? `it exists for ${[...new Set(available)].join(', ') || 'none'}`
        : 'its indexes are nested too deep',
  });
}

const readManifestBytes = (response: HttpResponse, what: string): Promise<Buffer> =>
  readBounded(response.body, maxManifestBytes, () =>
    imageError('image/bad-manifest', `${what}: its manifest is over 4 MiB`, {
      hint: 'no registry needs to take such a manifest',
    }),
  );

async function readConfig(source: BlobSource, config: Descriptor, what: string, signal?: AbortSignal): Promise<Buffer> {
  const tooLong = () =>
    imageError('image/bad-manifest', `${what}: its config is over 4 MiB`, { hint: 'have the image built again' });
  if (config.size > maxManifestBytes) throw tooLong();
  const bytes = await readBounded(await openRegistryBlob(source, config).open(signal), maxManifestBytes, tooLong);
  checkBytes({ digest: digestOf(bytes), size: bytes.length }, config, `config of ${what}`);
  return bytes;
}

const mismatch = (what: string, expected: string, got: string) =>
  imageError('image/digest-mismatch', `${what}: expected the manifest ${expected}, got ${got}`, {
    hint: 'the registry or something on the way to it changes what it serves: do not use it',
  });
