import { imageError } from '../errors.ts';
import { tarBlockBytes } from './entry.ts';
import { decodeName } from './names.ts';

/** One 512-byte header as it stands: POSIX.1-2017 pax, "ustar Interchange Format", and GNU's dialect of it. */
export interface RawHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly typeFlag: string;
  readonly linkName: string;
  readonly isGnu: boolean;
}

export const badTar = (why: string) =>
  imageError('image/bad-archive', `tar: ${why}`, {
    hint: 'the archive or layer is damaged or was made by a broken tool',
  });

export const isZeroBlock = (block: Buffer): boolean => block.every((byte) => byte === 0);

/** Reads a header block. Fails with `image/bad-archive` where its checksum or a number is wrong. */
export function parseHeader(block: Buffer): RawHeader {
  checkSum(block);
  const magic = block.toString('latin1', 257, 265);
  const isGnu = magic === 'ustar  \0';
  const prefix = magic.startsWith('ustar\0') ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix ? `${prefix}/${name}` : name,
    mode: number(block, 100, 8, 'mode') & 0o7777,
    uid: number(block, 108, 8, 'uid'),
    gid: number(block, 116, 8, 'gid'),
    size: size(number(block, 124, 12, 'size')),
    mtime: number(block, 136, 12, 'mtime'),
    typeFlag: String.fromCharCode(block[156] ?? 0),
    linkName: text(block, 157, 100),
    isGnu,
  };
}

/** Checks a size that a header claims; the bytes behind it are counted by whoever reads them. */
export function size(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw badTar(`expected a size, got ${value}`);
}

function text(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return decodeName(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or GNU's base-256 where the first bit is set. */
export function number(block: Buffer, offset: number, length: number, field: string): number {
  const first = block[offset] ?? 0;
  if (first & 0x80) return base256(block.subarray(offset, offset + length));
  const digits = block
    .toString('latin1', offset, offset + length)
    .replace(/[\0 ]+$/, '')
    .trimStart();
  if (digits === '') return 0;
  if (!/^-?[0-7]+$/.test(digits)) throw badTar(`expected octal digits in ${field}, got ${JSON.stringify(digits)}`);
  return Number.parseInt(digits, 8);
}

function base256(field: Buffer): number {
  const negative = ((field[0] ?? 0) & 0x40) !== 0;
  let value = BigInt((field[0] ?? 0) & 0x7f);
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
  return Number(negative ? value - (1n << BigInt(8 * field.length - 1)) : value);
}

/** Sums with unsigned bytes, or, as some old tools did, with signed ones. */
function checkSum(block: Buffer): void {
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < tarBlockBytes; at += 1) {
    const byte = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += byte;
    signed += (byte << 24) >> 24;
  }
  const expected = number(block, 148, 8, 'checksum');
  if (expected !== unsigned && expected !== signed)
    throw badTar(`header checksum: expected ${unsigned}, got ${expected}`);
}
