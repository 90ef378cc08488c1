import { toMessage } from '../../core/errors.ts';
import { isDigest } from '../../core/ids.ts';
import { type ImageReference, parseReference, toFamiliarName, toRepoTag } from '../../image/reference.ts';
import { toPullRequest } from '../../request/pull-request.ts';
import { runError } from '../errors.ts';
import { type FoundImage, type ImageQuery, lookUpImage } from './lookup.ts';
import type { ImageServices, ResolvedImage } from './port.ts';
import { requestImage } from './request-image.ts';

/**
 * The image of a name in a registry: as Keep has it, or pulled where Keep has none or the policy wants the registry's (design
 * 4.5). Fails with `run/image-not-found`, and as `requestImage` does.
 */
export async function resolveReference(
  services: ImageServices,
  text: string,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  const reference = parseReference(text);
  const name = toFamiliarName(reference);
  services.emit({ type: 'image', reference: name, status: 'looking' });
  const found = await lookUpImage(services.api, toQuery(reference), warner(services));
  const wanted = found && (await asThePolicyWants(services, reference, found));
  if (wanted) {
    services.emit({ type: 'image', reference: name, status: 'found', detail: wanted.imageHash });
    return { portableDataHash: wanted.portableDataHash, reference: name };
  }
  if (services.pull === 'never') {
    throw runError('run/image-not-found', `image ${name} is not in Keep and --pull=never forbids asking a registry`, {
      hint: 'run without --pull=never, or put the image into Keep with arv-keepdocker',
    });
  }
  return pull(services, { name, again: found !== undefined }, signal);
}

/** What Keep has, if it need not be pulled again; with `newer` what the name means in its registry now, which may be an older image. */
async function asThePolicyWants(
  services: ImageServices,
  reference: ImageReference,
  found: FoundImage,
): Promise<FoundImage | undefined> {
  if (services.pull === 'always') return undefined;
  if (services.pull !== 'newer' || reference.digest) return found;
  const warn = warner(services);
  try {
    const digest = await services.resolveDigest(reference);
    return digest === found.registryDigest ? found : await lookUpImage(services.api, { digest }, warn);
  } catch (error) {
    const name = toFamiliarName(reference);
    warn(`cannot ask the registry whether ${name} moved, using the one in Keep: ${toMessage(error)}`);
    return found;
  }
}

/** `again`: not the result of an earlier pull. */
function pull(
  services: ImageServices,
  { name, again }: { readonly name: string; readonly again: boolean },
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  const attributes = {
    ...toPullRequest(name, { reuse: services.reuse && !again }),
    properties: services.properties,
  };
  return requestImage(services, { name, what: `pull ${name}`, status: 'pulling', attributes }, signal);
}

/** The image in Keep that a `dockerImageId` alone names: an image hash, whole or short, or else a reference. */
export async function resolveImageId(services: ImageServices, imageId: string): Promise<ResolvedImage> {
  const warn = warner(services);
  const hex = /^(?:sha256:)?([0-9a-f]{7,64})$/.exec(imageId)?.[1];
  const byHash = hex ? await lookUpImage(services.api, hashQuery(hex), warn) : undefined;
  const found = byHash ?? (await lookUpImage(services.api, toQuery(parseReference(imageId)), warn));
  if (found) return { portableDataHash: found.portableDataHash, reference: imageId };
  throw runError('run/image-not-found', `no image in Keep has the name or hash ${imageId}`, {
    hint: 'dockerImageId alone only looks an image up: add dockerPull, dockerFile or dockerLoad, or store it with arv-keepdocker',
  });
}

const warner =
  ({ emit }: ImageServices) =>
  (message: string): void =>
    emit({ type: 'warning', message });

function toQuery(reference: ImageReference): ImageQuery {
  return reference.digest ? { digest: reference.digest } : { repoTag: toRepoTag(reference) };
}

function hashQuery(hex: string): ImageQuery {
  const whole = `sha256:${hex}`;
  return isDigest(whole) ? { digest: whole } : { shortHash: hex };
}
