import { isHallmarkError } from '../../core/errors.ts';
import { type Logger, silentLogger } from '../../core/logger.ts';
import { imageError } from '../errors.ts';
import { makeImage } from '../make-image.ts';
import { maxManifestBytes } from '../manifest.ts';
import type { Descriptor, Image } from '../model.ts';
import { formatReference, type ImageReference } from '../reference.ts';
import { checkBytes, digestOf, readBounded } from '../streams.ts';
import { createAuthorizer } from './auth.ts';
import { type BlobSource, openRegistryBlob } from './blobs.ts';
import { type Found, findManifest, type Lookup } from './find-manifest.ts';
import { createHttpSend } from './http.ts';
import type { PullPlan, ResolvedReference } from './model.ts';
import { type PlanOptions, planPull } from './plan-pull.ts';
import type { CredentialStore, HttpSend, RegistryDirectory } from './port.ts';
import { createSession, defaultRetryPolicy, type RetryListener, type RetryPolicy } from './session.ts';

export interface RegistryClientOptions {
  readonly directory: RegistryDirectory;
  readonly credentials: CredentialStore;
  readonly logger?: Logger;
  readonly send?: HttpSend;
  readonly policy?: RetryPolicy;
  /** Longest wait for the next bytes of a blob; 60 s unless said. */
  readonly stallTimeoutMs?: number;
}

export interface PullOptions extends PlanOptions {
  readonly onRetry?: RetryListener;
}

/** An image whose layers the registry still holds, and the plan it was found by. */
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

/** Fails with the `image/…` codes of registries; `retryable` where the registry may answer later, after its own tries. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const send = options.send ?? createHttpSend();
  const policy = options.policy ?? defaultRetryPolicy;
  const session = createSession(send, createAuthorizer(send, options.credentials), policy);
  const lookup: Lookup = { ...options, session, logger: options.logger ?? silentLogger };
  const blobs = (found: Found, onRetry?: RetryListener): BlobSource => ({
    session,
    policy,
    ...(onRetry && { onRetry }),
    endpoints: [found.endpoint, ...found.others],
    stallTimeoutMs: options.stallTimeoutMs ?? 60_000,
  });
  return {
    ping: (reference, signal) => ping(lookup, reference, signal),
    resolve: async (reference, signal) => (await findManifest(lookup, reference, 'HEAD', signal)).resolved,
    planPull: async (reference, pull = {}) => (await planPull(lookup, reference, pull)).plan,
    async openImage(reference, pull = {}) {
      const { plan: pullPlan, found } = await planPull(telling(lookup, pull.onRetry), reference, pull);
      const source = blobs(found, pull.onRetry);
      const what = formatReference(pullPlan.reference);
      const configBytes = await readConfig(source, pullPlan.config, what, pull.signal);
      const image = makeImage(configBytes, pullPlan.layers, what, (layer) => openRegistryBlob(source, layer));
      return { ...image, plan: pullPlan };
    },
  };
}

const telling = (lookup: Lookup, onRetry?: RetryListener): Lookup =>
  onRetry ? { ...lookup, session: (request) => lookup.session({ ...request, onRetry }) } : lookup;

async function ping({ session, directory }: Lookup, reference: ImageReference, signal?: AbortSignal): Promise<void> {
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

async function readConfig(source: BlobSource, config: Descriptor, what: string, signal?: AbortSignal): Promise<Buffer> {
  const tooLong = () =>
    imageError('image/bad-manifest', `${what}: its config is over 4 MiB`, { hint: 'have the image built again' });
  if (config.size > maxManifestBytes) throw tooLong();
  const bytes = await readBounded(await openRegistryBlob(source, config).open(signal), maxManifestBytes, tooLong);
  checkBytes({ digest: digestOf(bytes), size: bytes.length }, config, `config of ${what}`);
  return bytes;
}
