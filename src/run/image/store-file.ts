import { fileURLToPath } from 'node:url';
import { type HallmarkError, isHallmarkError, toMessage } from '../../core/errors.ts';
import { fileAccess } from '../../image/archive/folder.ts';
import { openArchive, openArchiveImages } from '../../image/archive/open.ts';
import { openRootFileSystem } from '../../image/archive/root-file-system.ts';
import type { Image } from '../../image/model.ts';
import { parseReference } from '../../image/reference.ts';
import type { RandomAccess } from '../../image/tar/source.ts';
import { runError } from '../errors.ts';
import { checkReach } from './check-reach.ts';
import { lookUpImage } from './lookup.ts';
import type { ImageServices, ResolvedImage } from './port.ts';
import type { ImageSource } from './requirement.ts';

type ImageFile = Extract<ImageSource, { kind: 'load' | 'import' }>;
type Services = Pick<ImageServices, 'api' | 'emit' | 'saveImage' | 'checkReach'>;

/** Puts the image of `dockerLoad` (an archive) or `dockerImport` (a root file system) into Keep, unless Keep has it. */
export async function storeImageFile(
  services: Services,
  source: ImageFile,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  const path = toPath(source);
  await checkReach(services, source.location, { field: fieldOf(source.kind), position: source.position });
  const reference = source.imageId ?? path;
  services.emit({ type: 'image', reference, status: 'looking' });
  const image = await openImage(source, path, signal);
  const warn = (message: string) => services.emit({ type: 'warning', message });
  const found = await lookUpImage(services.api, { digest: image.imageHash }, warn);
  if (found) {
    services.emit({ type: 'image', reference, status: 'found', detail: image.imageHash });
    return { portableDataHash: found.portableDataHash, reference };
  }
  const names = { collection: `Docker image ${reference}`, references: toReferences(source.imageId) };
  const portableDataHash = await services.saveImage(image, names, signal);
  services.emit({ type: 'image', reference, status: 'ready' });
  return { portableDataHash, reference };
}

function toPath({ kind, location }: ImageFile): string {
  if (location.startsWith('file:')) return fileURLToPath(location);
  throw runError('run/bad-requirement', `${fieldOf(kind)}: expected a file of this machine, got ${location}`, {
    hint: 'download it and give its path, relative to the document; a registry is asked with dockerPull',
  });
}

const fieldOf = (kind: ImageFile['kind']): string => (kind === 'load' ? 'dockerLoad' : 'dockerImport');

async function openImage(source: ImageFile, path: string, signal?: AbortSignal): Promise<Image> {
  const file = await openFile(source, path);
  try {
    return await readImage(source, file, path, signal);
  } catch (error) {
    if (!isHallmarkError(error, 'image/bad-archive') || error.message.includes(path)) throw error;
    throw imageUnusable(source, path, error);
  }
}

const imageUnusable = ({ kind }: ImageFile, path: string, { message, hint }: HallmarkError) =>
  runError('run/image-unusable', `${fieldOf(kind)}: expected an image archive, got ${path}: ${message}`, {
    ...(hint !== undefined && { hint }),
  });

async function readImage(source: ImageFile, file: RandomAccess, path: string, signal?: AbortSignal): Promise<Image> {
  if (source.kind === 'import') return openRootFileSystem(file, path, signal);
  const options = { name: path, ...(signal && { signal }) };
  const [only, second] = await openArchiveImages(file, options);
  if (only && !second) return only;
  return openArchive(file, { ...options, ...(source.imageId !== undefined && { select: source.imageId }) });
}

async function openFile({ kind }: ImageFile, path: string): Promise<RandomAccess> {
  try {
    return await fileAccess(path);
  } catch (cause) {
    throw runError('run/input-missing', `${fieldOf(kind)}: cannot read ${path}: ${toMessage(cause)}`, {
      hint: 'its path is relative to the document',
      cause,
    });
  }
}

/** An image hash is no name: it is what the image is found by anyway. */
function toReferences(imageId: string | undefined) {
  return imageId === undefined || /^(sha256:)?[0-9a-f]{12,64}$/.test(imageId) ? [] : [parseReference(imageId)];
}
