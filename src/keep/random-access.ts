import type { Readable } from 'node:stream';
import type { CollectionFile } from './collection.ts';
import { openFile } from './file-reader.ts';
import type { BlockStore } from './port.ts';

/** A file in Keep that can be read anywhere; a `RandomAccess` of `image/`. */
export interface KeepAccess {
  readonly sizeBytes: number;
  /** Where the block that holds `offset` ends. */
  partEnd(offset: number): number;
  openRange(start: number, end: number, signal?: AbortSignal): Readable;
}

export function toRandomAccess(blocks: BlockStore, file: CollectionFile): KeepAccess {
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
