import type { BitReader } from './bits.ts';

/** The bytes of a block, still with its runs: `next[at]` holds a byte in its low 8 bits, and above them where the next one is. */
export interface UnsortedBlock {
  readonly next: Uint32Array;
  readonly start: number;
  readonly size: number;
}

const damaged = (what: string) => new Error(`a block of the bzip2 stream has ${what}`);

/** Reads a block, from behind its CRC on, and undoes Huffman coding, move-to-front and Burrows-Wheeler transform. */
export function readBlock(bits: BitReader, maxBytes: number): UnsortedBlock {
  if (bits.read(1) === 1) throw damaged('an order that bzip2 gave up in 1999');
  const origin = bits.read(24);
  const used = readUsedBytes(bits);
  const groupCount = bits.read(3);
  if (used.length === 0 || groupCount < 2 || groupCount > 6) throw damaged('no table of codes');
  const selectors = readSelectors(bits, groupCount);
  const codes = Array.from({ length: groupCount }, () => readCode(bits, used.length + 2));
  const { sorted, size, counts } = readSymbols(bits, { used, selectors, codes, maxBytes });
  if (origin >= size) throw damaged('a beginning outside of it');
  return { ...unsort(sorted, size, counts, origin), size };
}

function readUsedBytes(bits: BitReader): Uint8Array {
  const rows = bits.read(16);
  const used: number[] = [];
  for (let row = 0; row < 16; row += 1) {
    const columns = (rows >> (15 - row)) & 1 ? bits.read(16) : 0;
    for (let column = 0; column < 16; column += 1) {
      if ((columns >> (15 - column)) & 1) used.push(row * 16 + column);
    }
  }
  return Uint8Array.from(used);
}

/** Which code each fifty symbols have. */
function readSelectors(bits: BitReader, groupCount: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  if (selectors.length === 0) throw damaged('no selectors');
  const order = Uint8Array.from({ length: groupCount }, (_, index) => index);
  for (let index = 0; index < selectors.length; index += 1) {
    let position = 0;
    while (bits.read(1) === 1) {
      position += 1;
      if (position >= groupCount) throw damaged('a selector of no table');
    }
    selectors[index] = moveToFront(order, position);
  }
  return selectors;
}

function moveToFront(order: Uint8Array, position: number): number {
  const value = order[position] ?? 0;
  order.copyWithin(1, 0, position);
  order[0] = value;
  return value;
}

const maxLength = 20;

/** A canonical Huffman code. */
interface Code {
  readonly minLength: number;
  /** By length: the first code, at the left of 20 bits, that is longer. */
  readonly limits: Int32Array;
  /** By length: what is added to a code to give its place in `symbols`. */
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
}

function readCode(bits: BitReader, symbolCount: number): Code {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol += 1) {
    while (bits.read(1) === 1) {
      length += bits.read(1) === 0 ? 1 : -1;
      if (length < 1 || length > maxLength) break;
    }
    if (length < 1 || length > maxLength) throw damaged('a code of a wrong length');
    lengths[symbol] = length;
  }
  const limits = new Int32Array(maxLength + 1);
  const offsets = new Int32Array(maxLength + 1);
  const symbols: number[] = [];
  let code = 0;
  for (let each = 1; each <= maxLength; each += 1) {
    offsets[each] = symbols.length - code;
    for (let symbol = 0; symbol < symbolCount; symbol += 1) if (lengths[symbol] === each) symbols.push(symbol);
    code = symbols.length - (offsets[each] ?? 0);
    limits[each] = code << (maxLength - each);
    code <<= 1;
  }
  return { minLength: Math.min(...lengths), limits, offsets, symbols: Uint16Array.from(symbols) };
}

function readSymbol(bits: BitReader, { minLength, limits, offsets, symbols }: Code): number {
  const ahead = bits.peek(maxLength);
  let length = minLength;
  while (length <= maxLength && ahead >= (limits[length] ?? 0)) length += 1;
  if (length > maxLength) throw damaged('a code that means nothing');
  bits.skip(length);
  return symbols[(ahead >> (maxLength - length)) + (offsets[length] ?? 0)] ?? 0;
}

interface Coding {
  readonly used: Uint8Array;
  readonly selectors: Uint8Array;
  readonly codes: readonly Code[];
  readonly maxBytes: number;
}

const symbolsPerSelector = 50;

/** The sorted bytes: symbols 0 and 1 are digits of a run of the byte in front, the last one is the end. */
function readSymbols(bits: BitReader, { used, selectors, codes, maxBytes }: Coding) {
  const sorted = new Uint32Array(maxBytes);
  const counts = new Uint32Array(256);
  const order = Uint8Array.from(used);
  const end = used.length + 1;
  let size = 0;
  let run = 0;
  let digit = 1;
  const flush = () => {
    if (run > maxBytes - size) throw damaged('more bytes than it may');
    const byte = order[0] ?? 0;
    sorted.fill(byte, size, size + run);
    counts[byte] = (counts[byte] ?? 0) + run;
    size += run;
    run = 0;
    digit = 1;
  };
  for (const selector of selectors) {
    const code = codes[selector];
    if (!code) break;
    for (let turn = 0; turn < symbolsPerSelector; turn += 1) {
      const symbol = readSymbol(bits, code);
      if (symbol <= 1) {
        run += digit << symbol;
        digit <<= 1;
        if (run > maxBytes) throw damaged('more bytes than it may');
        continue;
      }
      if (run > 0) flush();
      if (symbol === end) return { sorted, size, counts };
      const byte = moveToFront(order, symbol - 1);
      if (size >= maxBytes) throw damaged('more bytes than it may');
      sorted[size] = byte;
      size += 1;
      counts[byte] = (counts[byte] ?? 0) + 1;
    }
  }
  throw damaged('no end');
}

function unsort(sorted: Uint32Array, size: number, counts: Uint32Array, origin: number) {
  const starts = new Uint32Array(256);
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    starts[byte] = sum;
    sum += counts[byte] ?? 0;
  }
  for (let index = 0; index < size; index += 1) {
    const byte = (sorted[index] ?? 0) & 0xff;
    const place = starts[byte] ?? 0;
    starts[byte] = place + 1;
    sorted[place] = (sorted[place] ?? 0) | (index << 8);
  }
  // The entry at the origin says where the first byte is.
  return { next: sorted, start: (sorted[origin] ?? 0) >>> 8 };
}
