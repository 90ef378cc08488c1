import { Readable } from 'node:stream';
import type { CollectionFile, FileSegment } from './collection.ts';
import { keepError } from './errors.ts';
import type { BlockStore } from './port.ts';

/** Bytes of a file, counted from 0; what lies past its end is left out. */
export interface ByteRange {
  /** Default 0. */
  readonly start?: number;
  /** One past the last byte; default: the file's size. */
  readonly end?: number;
}

export interface OpenFileOptions extends ByteRange {
  readonly signal?: AbortSignal;
}

/**
 * The file's bytes, every block checked by the store; the next block is read while the present one is consumed.
 * Destroying the stream ends the transfer.
 */
export function openFile(store: BlockStore, file: CollectionFile, options: OpenFileOptions = {}): Readable {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const stream = Readable.from(readSegments(store, sliceSegments(file.segments, options), signal), {
    objectMode: false,
    highWaterMark: 1,
  });
  stream.once('close', () => stop.abort());
  return stream;
}

/** The part of `segments` that `range` covers. */
export function sliceSegments(segments: readonly FileSegment[], range: ByteRange): FileSegment[] {
  const { start = 0, end = Number.POSITIVE_INFINITY } = range;
  const slice: FileSegment[] = [];
  let position = 0;
  for (const segment of segments) {
    const from = Math.max(0, start - position);
    const to = Math.min(segment.length, end - position);
    if (from < to) slice.push({ locator: segment.locator, offset: segment.offset + from, length: to - from });
    position += segment.length;
  }
  return slice;
}

async function* readSegments(store: BlockStore, segments: readonly FileSegment[], signal: AbortSignal) {
  let held: { readonly locator: string; readonly block: Promise<Uint8Array> } | undefined;
  const fetch = (segment: FileSegment | undefined) => {
    if (segment === undefined || segment.locator === held?.locator) return held;
    const block = store.read(segment.locator, signal);
    block.catch(() => {}); // A reader that stops early never awaits the block read ahead.
    return { locator: segment.locator, block };
  };
  held = fetch(segments[0]);
  for (const [index, segment] of segments.entries()) {
    const block = await held?.block;
    held = fetch(segments[index + 1]);
    if (block) yield block.subarray(segment.offset, segment.offset + segment.length);
  }
}

/** The whole of a small UTF-8 file. Fails with `keep/block-too-large` beyond `maxBytes`. */
export async function readText(store: BlockStore, file: CollectionFile, maxBytes = 64 * 1024 * 1024): Promise<string> {
  if (file.sizeBytes > maxBytes) {
    throw keepError(
      'keep/block-too-large',
      `expected at most ${maxBytes} bytes of text, got ${file.sizeBytes} in ${JSON.stringify(file.path)}`,
    );
  }
  return (await readBytes(store, file)).toString('utf8');
}

/** The whole of a small file: without a stream, which costs more than its bytes. */
export async function readBytes(store: BlockStore, file: CollectionFile): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const { locator, offset, length } of file.segments) {
    parts.push((await store.read(locator)).subarray(offset, offset + length));
  }
  return Buffer.concat(parts);
}
