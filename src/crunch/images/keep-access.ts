import type { RandomAccess } from '../../image/tar/source.ts';
import type { CollectionFile } from '../../keep/collection.ts';
import { openFile } from '../../keep/file-reader.ts';
import type { BlockStore } from '../../keep/port.ts';

/** A file in Keep that can be read anywhere. */
export function toRandomAccess(blocks: BlockStore, file: CollectionFile): RandomAccess {
  return {
    sizeBytes: file.sizeBytes,
    partEnd: (offset) => endOfSegment(file, offset),
    openRange: (start, end, signal) => openFile(blocks, file, { start, end, ...(signal && { signal }) }),
  };
}

function endOfSegment({ segments, sizeBytes }: CollectionFile, offset: number): number {
  let end = 0;
  for (const { length } of segments) {
    end += length;
    if (offset < end) return end;
  }
  return sizeBytes;
}
