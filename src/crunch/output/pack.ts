import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { BlockLocator } from '../../core/ids.ts';
import type { FileSegment } from '../../keep/collection.ts';
import { emptyBlockLocator } from '../../keep/locator.ts';
import { type BlockStore, maxBlockBytes } from '../../keep/port.ts';
import { crunchError } from '../errors.ts';
import type { OutputFile } from './node.ts';

/** Files that are read before others get their turn. */
const filesPerTurn = 256;

export interface Pack {
  /** Calls must not overlap. */
  add(path: string, file: OutputFile): Promise<void>;
  /** Stores the last block. Until then the files have no right segments. */
  finish(): Promise<void>;
}

/** A segment of the block that is being filled: its locator comes when the block is stored. */
type OpenSegment = { -readonly [Key in keyof FileSegment]: FileSegment[Key] };

/** Small files one after the other in shared blocks. They are read straight into the block: a buffer for each weighs more than it. */
export function createPack(blocks: Pick<BlockStore, 'write'>): Pack {
  let block = Buffer.allocUnsafeSlow(maxBlockBytes);
  let usedBytes = 0;
  let segments: OpenSegment[] = [];
  let count = 0;

  const flush = async (): Promise<void> => {
    if (usedBytes === 0) return;
    const locator: BlockLocator = await blocks.write(block.subarray(0, usedBytes));
    for (const segment of segments) segment.locator = locator;
    block = Buffer.allocUnsafeSlow(maxBlockBytes);
    usedBytes = 0;
    segments = [];
  };
  const readInto = async (descriptor: number, file: OutputFile): Promise<void> => {
    for (;;) {
      if (usedBytes === maxBlockBytes) await flush();
      const length = readSync(descriptor, block, usedBytes, maxBlockBytes - usedBytes, null);
      if (length === 0) return;
      const segment = { locator: emptyBlockLocator, offset: usedBytes, length };
      file.segments = file.segments.concat(segment);
      segments.push(segment);
      usedBytes += length;
    }
  };
  return {
    async add(path, file) {
      count += 1;
      if (count % filesPerTurn === 0) await setImmediate();
      const descriptor = openRegular(path);
      try {
        await readInto(descriptor, file);
      } finally {
        closeSync(descriptor);
      }
    },
    finish: flush,
  };
}

/** Opened without following a link, and without waiting for the writer of a FIFO that took the file's place. */
function openRegular(path: string): number {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw crunchError('crunch/bad-output', `an output file was replaced while it was collected: ${path}`, {
    hint: 'let the command wait for all its processes before it ends',
  });
}
