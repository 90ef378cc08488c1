import { Readable } from 'node:stream';
import { imageError } from '../errors.ts';
import type { Layer } from '../model.ts';
import { decompressLayer } from './decompress.ts';
import { readLayerEntries } from './entries.ts';
import type { TreeEntry } from './view-layer.ts';

/** `content` is good until the next one is asked for. */
export interface FileContent {
  readonly entry: TreeEntry;
  readonly content: Readable;
}

/** As `MergedTree.readFiles`: the base layer first. */
export async function* readFiles(
  layers: readonly Layer[],
  wanted: Iterable<TreeEntry>,
  signal?: AbortSignal,
): AsyncGenerator<FileContent> {
  const byLayer = Map.groupBy(wanted, (entry) => entry.layer);
  for (const [index, entries] of [...byLayer].sort(([a], [b]) => a - b)) {
    const layer = layers[index];
    if (!layer) throw imageError('image/blob-missing', `layer ${index}: the image has only ${layers.length}`);
    yield* readLayerFiles(layer, entries, signal);
  }
}

async function* readLayerFiles(layer: Layer, entries: readonly TreeEntry[], signal?: AbortSignal) {
  const wanted = Map.groupBy(entries, (entry) => entry.contentOrdinal);
  const tar = await decompressLayer(layer, signal ? { signal } : {});
  let ordinal = -1;
  try {
    for await (const found of readLayerEntries(tar)) {
      ordinal += 1;
      const [first, ...links] = wanted.get(ordinal) ?? [];
      if (!first || found.kind !== 'entry') continue;
      wanted.delete(ordinal);
      yield* shareContent(found.content(), [first, ...links]);
      if (wanted.size === 0) return;
    }
  } finally {
    tar.destroy();
  }
}

/** Hard links of one file: the first reads the layer, the others a copy of it, which is held in memory only where there are others. */
async function* shareContent(content: AsyncGenerator<Buffer>, entries: readonly TreeEntry[]) {
  if (entries.length === 1 && entries[0]) {
    const stream = Readable.from(content, { objectMode: false });
    yield { entry: entries[0], content: stream };
    stream.destroy();
    // Waits for a read under way, which would otherwise race with the walk over the archive.
    await content.return(undefined);
    return;
  }
  const chunks = await Array.fromAsync(content);
  for (const entry of entries) yield { entry, content: Readable.from(chunks, { objectMode: false }) };
}
