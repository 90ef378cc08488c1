import { buildCollection } from '../../keep/build-collection.ts';
import type { Collection, CollectionFile, FileSegment } from '../../keep/collection.ts';
import { toSegments } from '../../keep/collection-writer.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import type { Place } from '../mounts/places.ts';
import { createGlobFilter } from './glob.ts';
import type { OutputFile } from './node.ts';
import { overlayMounts } from './overlay.ts';
import { type OutputSource, type ResolvedOutput, resolveOutput } from './resolve.ts';
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
  const { files, emptyDirectories } = await storeOutput(options);
  return buildCollection(files, emptyDirectories);
}

interface StoredOutput {
  readonly files: readonly CollectionFile[];
  readonly emptyDirectories: readonly string[];
}

/** What was found on disk ends here: of a large output it is as large as the collection that is made next. */
async function storeOutput({ place, globs, blocks, signal, warn }: CollectOptions): Promise<StoredOutput> {
  const root = await scanOutput(place.outputDir, warn);
  overlayMounts(root, place);
  const view = { root, place };
  const resolved = resolveOutput(view, { wanted: createGlobFilter(globs) });
  await storeFiles(place.outputDir, root, filesOnDisk(resolved), { blocks, signal });
  const files: CollectionFile[] = [];
  for (const [path, source] of resolved.files) {
    const segments = await toFileSegments(source, blocks);
    files.push({ path, segments, sizeBytes: segments.reduce((sum, one) => sum + one.length, 0) });
  }
  return { files, emptyDirectories: resolved.emptyDirectories };
}

function filesOnDisk({ files }: ResolvedOutput): Set<OutputFile> {
  const found = new Set<OutputFile>();
  for (const source of files.values()) if (source.kind === 'file') found.add(source);
  return found;
}

async function toFileSegments(source: OutputSource, blocks: LocalBlockStore): Promise<readonly FileSegment[]> {
  switch (source.kind) {
    case 'stored':
      return source.file.segments;
    case 'literal':
      return toSegments(await blocks.storeFile(source.hostPath));
    case 'file':
      return source.segments;
  }
}
