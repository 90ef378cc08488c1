import type { RandomAccess } from '../../image/tar/source.ts';
import type { CollectionFile } from '../../keep/collection.ts';
import { openFile } from '../../keep/file-reader.ts';
import type { BlockStore } from '../../keep/port.ts';

/** A file in Keep that can be read anywhere. */
export function toRandomAccess(blocks: BlockStore, file: CollectionFile): RandomAccess {
  return {
    sizeBytes: file.sizeBytes,
    openRange: (start, end, signal) => openFile(blocks, file, { start, end, ...(signal && { signal }) }),
  };
}
