import type { Readable } from 'node:stream';
import { createSingleFlight } from '../../core/concurrency.ts';
import type { PortableDataHash } from '../../core/ids.ts';
import type { LoadableImage } from '../../executor/port.ts';
import { openArchive } from '../../image/archive/open.ts';
import { openFile } from '../../keep/file-reader.ts';
import { blockSizeBytes } from '../../keep/locator.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import { toRandomAccess } from '../../keep/random-access.ts';
import { crunchError } from '../errors.ts';
import type { CollectionReader, ImageOpener } from '../port.ts';
import { findImageFile } from './image-file.ts';

/** An opened image holds its config and an index: this many stay open for the next step. */
const keptImages = 64;

/** Opens images in Keep. What an opened image is was checked against its content; its layers are checked when they are read. */
export function createImageOpener(collections: CollectionReader, blocks: LocalBlockStore): ImageOpener {
  const kept = new Map<PortableDataHash, LoadableImage>();
  const flight = createSingleFlight<LoadableImage>();
  const openNew = async (hash: PortableDataHash): Promise<LoadableImage> => {
    const image = await openImage(hash, collections, blocks);
    kept.set(hash, image);
    const [oldest] = kept.keys();
    if (kept.size > keptImages && oldest) kept.delete(oldest);
    return image;
  };
  return { open: async (hash) => kept.get(hash) ?? flight(hash, () => openNew(hash)) };
}

async function openImage(
  hash: PortableDataHash,
  collections: CollectionReader,
  blocks: LocalBlockStore,
): Promise<LoadableImage> {
  const { file, imageHash } = findImageFile(await collections.byPortableDataHash(hash));
  const image = await openArchive(toRandomAccess(blocks, file), { name: `${hash}/${file.path}` });
  if (image.imageHash !== imageHash) {
    throw crunchError(
      'crunch/bad-image',
      `image ${hash}: expected ${imageHash} as its name says, got ${image.imageHash}`,
      {
        hint: 'the collection was modified: pull or build the image again',
      },
    );
  }
  const archivePath = await wholeArchive(file.segments, blocks);
  const open = async (signal?: AbortSignal): Promise<Readable> => openFile(blocks, file, signal ? { signal } : {});
  return { image, openArchive: open, ...(archivePath !== undefined && { archivePath }) };
}

async function wholeArchive(
  segments: Awaited<ReturnType<typeof findImageFile>>['file']['segments'],
  blocks: LocalBlockStore,
): Promise<string | undefined> {
  const covers = segments.every(({ locator, offset, length }) => offset === 0 && length === blockSizeBytes(locator));
  return covers ? blocks.wholeFile(segments.map(({ locator }) => locator)) : undefined;
}
