import { runError } from '../errors.ts';
import type { ImageSource } from './requirement.ts';
import type { ImageServices, ResolvedImage } from './resolve.ts';

/** Puts the image of `dockerLoad` (an archive) or `dockerImport` (a root file system) into Keep. */
export async function storeImageFile(
  _services: ImageServices,
  source: Extract<ImageSource, { kind: 'load' | 'import' }>,
): Promise<ResolvedImage> {
  throw runError('run/bad-requirement', `cannot take an image from ${source.location}`, {});
}
