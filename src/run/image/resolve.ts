import { toMessage } from '../../core/errors.ts';
import { isDigest, isPortableDataHash } from '../../core/ids.ts';
import { toCanonicalJson } from '../../core/json.ts';
import { type ImageReference, parseReference, toFamiliarName, toRepoTag } from '../../image/reference.ts';
import { toPullRequest } from '../../request/pull-request.ts';
import { runError } from '../errors.ts';
import { createImageBuild } from './build.ts';
import { type FoundImage, type ImageQuery, lookUpImage } from './lookup.ts';
import type { ImageResolver, ImageServices, ResolvedImage } from './port.ts';
import { requestImage } from './request-image.ts';
import { type ImageSource, toImageSource } from './requirement.ts';
import { storeImageFile } from './store-file.ts';

export function createImageResolver(services: ImageServices): ImageResolver {
  const known = new Map<string, Promise<ResolvedImage>>();
  const buildImage = createImageBuild(services, (reference, signal) => once({ kind: 'pull', reference }, signal));

  function once(source: ImageSource, signal?: AbortSignal): Promise<ResolvedImage> {
    const key = keyOf(source);
    const task = known.get(key) ?? resolveSource(source, signal);
    known.set(key, task);
    return task;
  }

  function resolveSource(source: ImageSource, signal?: AbortSignal): Promise<ResolvedImage> {
    switch (source.kind) {
      case 'collection':
        return resolveCollection(source.portableDataHash);
      case 'pull':
        return resolveReference(source.reference, signal);
      case 'build':
        return buildImage(source.instructions, signal);
      case 'load':
      case 'import':
        return storeImageFile(services, source, signal);
      case 'id':
        return resolveId(source.imageId);
    }
  }

  async function resolveCollection(text: string): Promise<ResolvedImage> {
    if (!isPortableDataHash(text)) {
      throw runError(
        'run/bad-requirement',
        `expected a portable data hash as dockerCollectionPDH, got ${JSON.stringify(text)}`,
      );
    }
    return { portableDataHash: text, reference: text };
  }

  async function resolveReference(text: string, signal?: AbortSignal): Promise<ResolvedImage> {
    if (isPortableDataHash(text)) return resolveCollection(text);
    const reference = parseReference(text);
    const name = toFamiliarName(reference);
    services.emit({ type: 'image', reference: name, status: 'looking' });
    const found = await lookUpImage(services.api, toQuery(reference), warn);
    if (found && !(await hasMoved(reference, found))) {
      services.emit({ type: 'image', reference: name, status: 'found', detail: found.imageHash });
      return { portableDataHash: found.portableDataHash, reference: name };
    }
    if (services.pull === 'never') {
      throw runError('run/image-not-found', `image ${name} is not in Keep and --pull=never forbids asking a registry`, {
        hint: 'run without --pull=never, or put the image into Keep with arv-keepdocker',
      });
    }
    return pull(name, found !== undefined, signal);
  }

  /** Whether the registry must be asked again although Keep has the image. */
  async function hasMoved(reference: ImageReference, found: FoundImage): Promise<boolean> {
    if (services.pull === 'always') return true;
    if (services.pull !== 'newer' || reference.digest) return false;
    const name = toFamiliarName(reference);
    try {
      return (await services.resolveDigest(reference)) !== found.registryDigest;
    } catch (error) {
      warn(`cannot ask the registry whether ${name} moved, using the one in Keep: ${toMessage(error)}`);
      return false;
    }
  }

  function pull(name: string, again: boolean, signal?: AbortSignal): Promise<ResolvedImage> {
    const attributes = {
      ...toPullRequest(name, { reuse: services.reuse && !again }),
      properties: services.properties,
    };
    return requestImage(services, { name, what: `pull ${name}`, status: 'pulling', attributes }, signal);
  }

  async function resolveId(imageId: string): Promise<ResolvedImage> {
    const hex = /^(?:sha256:)?([0-9a-f]{7,64})$/.exec(imageId)?.[1];
    const byHash = hex ? await lookUpImage(services.api, hashQuery(hex), warn) : undefined;
    const found = byHash ?? (await lookUpImage(services.api, toQuery(parseReference(imageId)), warn));
    if (found) return { portableDataHash: found.portableDataHash, reference: imageId };
    throw runError('run/image-not-found', `no image in Keep has the name or hash ${imageId}`, {
      hint: 'dockerImageId alone only looks an image up: add dockerPull, dockerFile or dockerLoad, or store it with arv-keepdocker',
    });
  }

  function warn(message: string): void {
    services.emit({ type: 'warning', message });
  }

  return {
    async resolve(docker, build, signal) {
      const source = toImageSource(docker, build);
      return source && once(source, signal);
    },
  };
}

/** A name for people is no part of what is built. */
function keyOf(source: ImageSource): string {
  if (source.kind !== 'build') return toCanonicalJson(source);
  const { imageId: _imageId, position: _position, ...content } = source.instructions;
  return toCanonicalJson(content);
}

function toQuery(reference: ImageReference): ImageQuery {
  return reference.digest ? { digest: reference.digest } : { repoTag: toRepoTag(reference) };
}

function hashQuery(hex: string): ImageQuery {
  const whole = `sha256:${hex}`;
  return isDigest(whole) ? { digest: whole } : { shortHash: hex };
}
