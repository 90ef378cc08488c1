import { BitReader } from './bits.ts';
import { readBlock, type UnsortedBlock } from './bzip2-block.ts';

/**
 * What bzip2 packed, streams one after another too, every block checked against its CRC. Holds one block at a time, at most 10 MB,
 * whatever it unpacks to. Throws an `Error` for what is damaged.
 */
export async function* bunzip2(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = createWindow(packed);
  try {
    let streams = 0;
    for (; await input.fill(4); streams += 1) {
      const level = readHeader(input.bytes, streams);
      // Zeros and the like behind the last stream are left alone, as bzip2 does.
      if (level === undefined) return;
      input.drop(4);
      yield* readStream(input, level);
    }
    if (streams === 0) throw new Error('the bzip2 stream is cut off');
  } finally {
    await input.close();
  }
}

function readHeader(bytes: Uint8Array, streams: number): number | undefined {
  const [b, z, h, digit = 0] = bytes;
  const level = digit - 0x30;
  if (b === 0x42 && z === 0x5a && h === 0x68 && level >= 1 && level <= 9) return level;
  if (streams > 0) return undefined;
  throw new Error('expected a bzip2 stream');
}

/** No packed block is longer, counted in bytes for each 100 kB of it: 20 bits a symbol, and its tables. */
const packedBytesPerLevel = 260_000;

async function* readStream(input: Window, level: number): AsyncGenerator<Uint8Array> {
  let bitOffset = 0;
  let streamCrc = 0;
  for (;;) {
    await input.fill(level * packedBytesPerLevel);
    const bits = new BitReader(input.bytes);
    bits.read(bitOffset);
    const magic = [bits.read(24), bits.read(24)].join();
    const crc = bits.readWord();
    if (magic === endMagic) {
      if (bits.isPastEnd) throw cutOff();
      if (crc !== streamCrc) throw new Error('the bzip2 stream does not have its CRC');
      bits.align();
      input.drop(bits.byteOffset);
      return;
    }
    if (bits.isPastEnd) throw cutOff();
    if (magic !== blockMagic) throw new Error('expected a block in the bzip2 stream');
    const block = readBlock(bits, level * 100_000);
    if (bits.isPastEnd) throw cutOff();
    bitOffset = bits.bitOffset;
    input.drop(bits.byteOffset - (bitOffset === 0 ? 0 : 1));
    yield* checked(block, crc);
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
  }
}

const blockMagic = [0x314159, 0x265359].join();
const endMagic = [0x177245, 0x385090].join();
const cutOff = () => new Error('the bzip2 stream is cut off');

function* checked(block: UnsortedBlock, crc: number): Generator<Uint8Array> {
  let got = 0xffff_ffff;
  for (const chunk of expandRuns(block)) {
    for (const byte of chunk) got = (got << 8) ^ (crcTable[(got >>> 24) ^ byte] ?? 0);
    yield chunk;
  }
  if ((got ^ 0xffff_ffff) >>> 0 !== crc) throw new Error('a block of the bzip2 stream does not have its CRC');
}

const chunkBytes = 64 * 1024;

/** Four equal bytes are followed by the number of further ones. */
function* expandRuns({ next, start, size }: UnsortedBlock): Generator<Uint8Array> {
  let chunk = Buffer.allocUnsafe(chunkBytes);
  let filled = 0;
  let run = 0;
  let last = -1;
  let at = start;
  for (let index = 0; index < size; index += 1) {
    const entry = next[at] ?? 0;
    const byte = entry & 0xff;
    at = entry >>> 8;
    const isCount = run === 4;
    const count = isCount ? byte : 1;
    if (!isCount) {
      run = byte === last ? run + 1 : 1;
      last = byte;
    } else run = 0;
    if (filled + count > chunkBytes) {
      yield chunk.subarray(0, filled);
      chunk = Buffer.allocUnsafe(chunkBytes);
      filled = 0;
    }
    if (count === 1) chunk[filled] = last;
    else chunk.fill(last, filled, filled + count);
    filled += count;
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

/** CRC-32 with the highest bit first. */
const crcTable = Int32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc;
});

/** The part of a byte stream that is being read. */
interface Window {
  readonly bytes: Uint8Array;
  /** Reads on until there are `wanted` bytes, or the stream ends; false where there is none left. */
  fill(wanted: number): Promise<boolean>;
  drop(count: number): void;
  close(): Promise<void>;
}

function createWindow(source: AsyncIterable<Uint8Array>): Window {
  const chunks = source[Symbol.asyncIterator]();
  let bytes: Uint8Array = Buffer.alloc(0);
  let isOver = false;
  return {
    get bytes() {
      return bytes;
    },
    async fill(wanted) {
      const parts = [bytes];
      for (let size = bytes.length; size < wanted && !isOver; ) {
        const { value, done = false } = await chunks.next();
        isOver = done;
        if (value === undefined) continue;
        parts.push(value);
        size += value.length;
      }
      if (parts.length > 1) bytes = Buffer.concat(parts);
      return bytes.length > 0;
    },
    drop(count) {
      bytes = bytes.subarray(count);
    },
    close: async () => void (await chunks.return?.()),
  };
}
