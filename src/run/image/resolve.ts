import { isPortableDataHash } from '../../core/ids.ts';
import { runError } from '../errors.ts';
import { buildImage } from './build.ts';
import type { ImageResolver, ImageServices, ResolveBase, ResolvedImage } from './port.ts';
import { type ImageSource, toImageSource, toSourceKey } from './requirement.ts';
import { resolveImageId, resolveReference } from './resolve-name.ts';
import { storeImageFile } from './store-file.ts';

/** Each source is resolved once in the life of the resolver, bases of builds among them; who asks meanwhile shares the answer. */
export function createImageResolver(services: ImageServices): ImageResolver {
  const known = new Map<string, Promise<ResolvedImage>>();
  const once = (source: ImageSource, signal?: AbortSignal): Promise<ResolvedImage> => {
    const key = toSourceKey(source);
    const image = known.get(key) ?? resolveSource(services, source, resolveBase, signal);
    known.set(key, image);
    return image;
  };
  const resolveBase: ResolveBase = (reference, signal) => once({ kind: 'pull', reference }, signal);
  return {
    async resolve(docker, build, signal) {
      const source = toImageSource(docker, build);
      return source && once(source, signal);
    },
  };
}

async function resolveSource(
  services: ImageServices,
  source: ImageSource,
  resolveBase: ResolveBase,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  switch (source.kind) {
    case 'collection':
      return toCollection(source.portableDataHash);
    case 'pull':
      if (isPortableDataHash(source.reference)) return toCollection(source.reference);
      return resolveReference(services, source.reference, signal);
    case 'build':
      return buildImage(services, source.instructions, resolveBase, signal);
    case 'load':
    case 'import':
      return storeImageFile(services, source, signal);
    case 'id':
      return resolveImageId(services, source.imageId);
  }
}

function toCollection(text: string): ResolvedImage {
  if (isPortableDataHash(text)) return { portableDataHash: text, reference: text };
  throw runError(
    'run/bad-requirement',
    `expected a portable data hash as dockerCollectionPDH, got ${JSON.stringify(text)}`,
  );
}
