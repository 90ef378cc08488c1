import type { Readable } from 'node:stream';
import { badTar } from './header.ts';

/** Bytes read front to back. One caller at a time. */
export interface ByteSource {
  /** Bytes consumed so far. */
  readonly position: number;
  /** Exactly `length` bytes; undefined at the end; `image/bad-archive` where the end comes in between. */
  read(length: number): Promise<Buffer | undefined>;
  skip(length: number): Promise<void>;
  /** The next `length` bytes in pieces. Stops early only by failing. */
  chunks(length: number): AsyncGenerator<Buffer>;
}

const truncated = (missing: number) => badTar(`ends ${missing} bytes too early`);

/** Reads a stream. Breaking out of it does not destroy the stream: its owner does. */
export function streamSource(stream: AsyncIterable<Uint8Array>): ByteSource & { drain(): Promise<void> } {
  const iterator = stream[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  /** Consumed of `chunk`. */
  let used = 0;
  let position = 0;

  async function fill(): Promise<boolean> {
    const { done, value } = await iterator.next();
    if (done) return false;
    chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    used = 0;
    return true;
  }
  /** At most `length` of the bytes that are here. */
  function take(length: number): Buffer {
    const taken = chunk.subarray(used, used + length);
    used += taken.length;
    position += taken.length;
    return taken;
  }
  async function* chunks(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (used === chunk.length && !(await fill())) throw truncated(left);
      const taken = take(left);
      left -= taken.length;
      if (taken.length > 0) yield taken;
    }
  }
  return {
    get position() {
      return position;
    },
    async read(length) {
      while (used === chunk.length) if (!(await fill())) return undefined;
      if (chunk.length - used >= length) return take(length);
      return Buffer.concat(await Array.fromAsync(chunks(length)));
    },
    async skip(length) {
      let left = length;
      while (left > 0) {
        if (used === chunk.length && !(await fill())) throw truncated(left);
        left -= take(left).length;
      }
    },
    chunks,
    async drain() {
      do take(chunk.length);
      while (await fill());
    },
  };
}

/** Something that can be read from any offset. `end` is exclusive. */
export interface RandomAccess {
  readonly sizeBytes: number;
  /** Where the part ends that has the byte at `offset`, of a file that comes in parts: to read one byte of a part is to read all of it. */
  partEnd?(offset: number): number;
  openRange(start: number, end: number, signal?: AbortSignal): Readable | Promise<Readable>;
}

const windowBytes = 64 * 1024;

/** Reads random-access bytes through a small window, which ends with its part, so that skipped content is not fetched. */
export function rangeSource(file: RandomAccess, signal?: AbortSignal): ByteSource {
  let position = 0;
  let window = { start: 0, bytes: Buffer.alloc(0) as Buffer };

  async function load(start: number, end: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const chunk of await file.openRange(start, end, signal)) parts.push(chunk);
    return Buffer.concat(parts);
  }
  return {
    get position() {
      return position;
    },
    async read(length) {
      if (position >= file.sizeBytes) return undefined;
      if (position + length > file.sizeBytes) throw truncated(position + length - file.sizeBytes);
      let at = position - window.start;
      if (at < 0 || at + length > window.bytes.length) {
        const windowEnd = Math.min(position + windowBytes, file.partEnd?.(position) ?? file.sizeBytes);
        const end = Math.min(file.sizeBytes, Math.max(position + length, windowEnd));
        window = { start: position, bytes: await load(position, end) };
        at = 0;
      }
      const bytes = window.bytes.subarray(at, at + length);
      if (bytes.length < length) throw truncated(length - bytes.length);
      position += length;
      return bytes;
    },
    async skip(length) {
      if (position + length > file.sizeBytes) throw truncated(position + length - file.sizeBytes);
      position += length;
    },
    async *chunks(length) {
      const start = position;
      position += length;
      if (length > 0) yield* await file.openRange(start, start + length, signal);
    },
  };
}
