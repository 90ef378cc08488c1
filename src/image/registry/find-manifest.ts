import { HallmarkError } from '../../core/errors.ts';
import { type Digest, isDigest } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { imageError } from '../errors.ts';
import { maxManifestBytes } from '../manifest.ts';
import { manifestAccept } from '../media-types.ts';
import { formatReference, type ImageReference } from '../reference.ts';
import { digestOf, readBounded } from '../streams.ts';
import type { ResolvedReference } from './model.ts';
import type { HttpResponse, RegistryDirectory, RegistryEndpoint } from './port.ts';
import type { RegistrySession } from './session.ts';

/** What a look-up asks with. */
export interface Lookup {
  readonly session: RegistrySession;
  readonly directory: RegistryDirectory;
  readonly logger: Logger;
}

/** A manifest and the endpoint that served it. */
export interface Found {
  readonly resolved: ResolvedReference;
  readonly endpoint: RegistryEndpoint;
  readonly others: readonly RegistryEndpoint[];
  /** Empty after a HEAD. */
  readonly bytes: Uint8Array;
}

/**
 * What a name points to, index or manifest: tries each candidate at each of its endpoints. The error of the last one, the registry itself, is the one that counts.
 */
export async function findManifest(
  lookup: Lookup,
  reference: ImageReference,
  method: 'GET' | 'HEAD',
  signal?: AbortSignal,
): Promise<Found> {
  const errors: unknown[] = [];
  for (const candidate of lookup.directory.candidates(reference)) {
    const endpoints = lookup.directory.endpoints(candidate);
    for (const endpoint of endpoints) {
      const others = endpoints.filter((other) => other !== endpoint);
      try {
        return await ask(lookup, candidate, { endpoint, others, method, signal });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof HallmarkError)) throw error;
        lookup.logger.debug(error.message);
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

async function ask(lookup: Lookup, reference: ImageReference, asking: Asking): Promise<Found> {
  const { endpoint, others, method, signal } = asking;
  const name = reference.digest ?? reference.tag ?? '';
  const what = formatReference(reference);
  const response = await request(lookup, { endpoint, name, method, what, signal });
  const mediaType = `${response.headers['content-type'] ?? ''}`.split(';')[0]?.trim() ?? '';
  const stated = `${response.headers['docker-content-digest'] ?? ''}`;
  if (method === 'HEAD') {
    response.body.destroy();
    const size = Number(response.headers['content-length'] ?? Number.NaN);
    const digest = reference.digest ?? stated;
    // Some registries leave the digest out of the answer to HEAD.
    if (!isDigest(digest) || !Number.isSafeInteger(size)) return ask(lookup, reference, { ...asking, method: 'GET' });
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

/** The manifest of this digest, where an index that `endpoint` served names it. */
export async function readManifest(
  lookup: Lookup,
  endpoint: RegistryEndpoint,
  digest: Digest,
  what: string,
  signal?: AbortSignal,
): Promise<Buffer> {
  const response = await request(lookup, {
    endpoint,
    name: digest,
    method: 'GET',
    what: `${what} (${digest})`,
    signal,
  });
  const bytes = await readManifestBytes(response, what);
  if (digestOf(bytes) !== digest) throw mismatch(what, digest, digestOf(bytes));
  return bytes;
}

interface ManifestRequest {
  readonly endpoint: RegistryEndpoint;
  /** A tag or a digest. */
  readonly name: string;
  readonly method: 'GET' | 'HEAD';
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

function request({ session }: Lookup, { endpoint, name, method, what, signal }: ManifestRequest) {
  const path = `${endpoint.repository}/manifests/${name}`;
  return session({ endpoint, method, path, headers: { accept: manifestAccept }, what, ...(signal && { signal }) });
}

const readManifestBytes = (response: HttpResponse, what: string): Promise<Buffer> =>
  readBounded(response.body, maxManifestBytes, () =>
    imageError('image/bad-manifest', `${what}: its manifest is over 4 MiB`, {
      hint: 'no registry needs to take such a manifest',
    }),
  );

const mismatch = (what: string, expected: string, got: string) =>
  imageError('image/digest-mismatch', `${what}: expected the manifest ${expected}, got ${got}`, {
    hint: 'the registry or something on the way to it changes what it serves: do not use it',
  });
