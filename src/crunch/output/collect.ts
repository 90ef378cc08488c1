import { buildCollection } from '../../keep/build-collection.ts';
import type { Collection, CollectionFile, FileSegment } from '../../keep/collection.ts';
import { toSegments } from '../../keep/collection-writer.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import type { Place } from '../mounts/places.ts';
import { createGlobFilter } from './glob.ts';
import type { OutputFile } from './node.ts';
import { overlayMounts } from './overlay.ts';
import { type OutputSource, resolveOutput } from './resolve.ts';
import { scanOutput } from './scan.ts';
import { storeFiles } from './store.ts';

export interface CollectOptions {
  readonly place: Place;
  /** `output_glob`. */
  readonly globs: readonly string[];
  readonly blocks: LocalBlockStore;
  readonly warn: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * The content of the output directory as a collection. Its files are given up to Keep; what points into a mounted
 * collection costs nothing. The processes that wrote it must have ended. Fails with `crunch/bad-output` and the codes of Keep.
 */
export async function collectOutput(options: CollectOptions): Promise<Collection> {
  const { place, globs, blocks, signal } = options;
  const root = await scanOutput(place.outputDir, options.warn);
  overlayMounts(root, place);
  const view = { root, place };
  const resolved = resolveOutput(view, { wanted: createGlobFilter(globs) });
  const onDisk = [...resolved.files.values()].filter((source): source is OutputFile => source.kind === 'file');
  await storeFiles(place.outputDir, root, new Set(onDisk), { blocks, signal });
  const files: CollectionFile[] = [];
  for (const [path, source] of resolved.files) {
    const segments = await toFileSegments(source, blocks);
    files.push({ path, segments, sizeBytes: segments.reduce((sum, one) => sum + one.length, 0) });
  }
  return buildCollection(files, resolved.emptyDirectories);
}

async function toFileSegments(source: OutputSource, blocks: LocalBlockStore): Promise<readonly FileSegment[]> {
  switch (source.kind) {
    case 'stored':
      return source.file.segments;
    case 'literal':
      return toSegments(await blocks.storeFile(source.hostPath));
    case 'file':
      return source.segments ?? [];
  }
}
