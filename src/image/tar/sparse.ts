import { tarBlockBytes } from './entry.ts';
import { badTar, number, size } from './header.ts';
import { type PaxRecords, paxNumber } from './pax.ts';
import type { ByteSource } from './source.ts';

/** Where the stored bytes of a sparse file belong: GNU tar manual, "Storing Sparse Files". In order, not overlapping. */
export interface SparseMap {
  readonly realSize: number;
  readonly pieces: readonly { readonly offset: number; readonly length: number }[];
}

const maxPieces = 1_000_000;

/** Old GNU format: pieces in the header and in the blocks after it. */
export async function readOldGnuSparse(header: Buffer, source: ByteSource): Promise<SparseMap> {
  const numbers: number[] = [];
  const take = (block: Buffer, offset: number, count: number) => {
    for (let at = 0; at < count && block[offset + at * 24] !== 0; at += 1) {
      numbers.push(number(block, offset + at * 24, 12, 'sparse'), number(block, offset + at * 24 + 12, 12, 'sparse'));
    }
  };
  take(header, 386, 4);
  let extended = header[482] !== 0;
  while (extended) {
    const block = await source.read(tarBlockBytes);
    if (!block) throw badTar('ends inside a sparse map');
    take(block, 0, 21);
    extended = block[504] !== 0;
    if (numbers.length > 2 * maxPieces) throw badTar('a sparse map has too many pieces');
  }
  return toMap(number(header, 483, 12, 'sparse'), numbers);
}

/** pax formats 0.0 and 0.1 (in the records) and 1.0 (at the start of the content); undefined where the file is not sparse. */
export async function readPaxSparse(pax: PaxRecords, source: ByteSource): Promise<SparseMap | undefined> {
  if (paxNumber(pax, 'GNU.sparse.major') === 1) {
    return toMap(paxNumber(pax, 'GNU.sparse.realsize') ?? -1, await readMapBlocks(source));
  }
  const realSize = paxNumber(pax, 'GNU.sparse.size') ?? paxNumber(pax, 'GNU.sparse.realsize');
  if (realSize === undefined) return undefined;
  const map = pax.get('GNU.sparse.map');
  if (map) return toMap(realSize, numbersOf(map.toString('latin1')));
  const offsets = numbersOf(pax.get('GNU.sparse.offset')?.toString('latin1') ?? '');
  const lengths = numbersOf(pax.get('GNU.sparse.numbytes')?.toString('latin1') ?? '');
  return toMap(
    realSize,
    offsets.flatMap((offset, index) => [offset, lengths[index] ?? -1]),
  );
}

/** Format 1.0: decimal lines, count first, padded to whole blocks. */
async function readMapBlocks(source: ByteSource): Promise<number[]> {
  let text = '';
  for (;;) {
    const block = await source.read(tarBlockBytes);
    if (!block) throw badTar('ends inside a sparse map');
    text += block.toString('latin1').replace(/\0+$/, '');
    const lines = text.split('\n');
    const count = Number(lines[0]);
    if (!(count <= maxPieces)) throw badTar('a sparse map has too many pieces');
    if (lines.length - 1 >= 1 + 2 * count) return lines.slice(1, 1 + 2 * count).map(Number);
    if (text.length > 64 * maxPieces) throw badTar('a sparse map has no end');
  }
}

const numbersOf = (text: string): number[] => (text === '' ? [] : text.split(',').map(Number));

function toMap(realSize: number, numbers: readonly number[]): SparseMap {
  const pieces = [];
  let end = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    const offset = size(numbers[at] ?? -1);
    const length = size(numbers[at + 1] ?? -1);
    if (offset < end || offset + length > realSize)
      throw badTar('the pieces of a sparse map overlap or exceed the file');
    end = offset + length;
    pieces.push({ offset, length });
  }
  return { realSize: size(realSize), pieces };
}

const zeros = Buffer.alloc(64 * 1024);

/** The file as its readers see it: stored pieces, zeros between them. */
export async function* expandSparse(map: SparseMap, source: ByteSource): AsyncGenerator<Buffer> {
  let at = 0;
  for (const piece of [...map.pieces, { offset: map.realSize, length: 0 }]) {
    for (; at < piece.offset; at += Math.min(zeros.length, piece.offset - at)) {
      yield zeros.subarray(0, Math.min(zeros.length, piece.offset - at));
    }
    yield* source.chunks(piece.length);
    at = piece.offset + piece.length;
  }
}
