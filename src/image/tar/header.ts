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
  let at = offset;
  while (at < offset + length && block[at] === 0x20) at += 1;
  let value = 0;
  for (; at < offset + length && isOctalDigit(block[at]); at += 1) value = value * 8 + (block[at] as number) - 0x30;
  for (const end of block.subarray(at, offset + length)) {
    if (end === 0) break;
    if (end !== 0x20) throw badNumber(block.toString('latin1', offset, offset + length), field);
  }
  return value;
}

const isOctalDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x37;

const badNumber = (got: string, field: string) =>
  badTar(`expected octal digits in ${field}, got ${JSON.stringify(got)}`);

function base256(field: Buffer): number {
  const negative = ((field[0] ?? 0) & 0x40) !== 0;
  let value = BigInt((field[0] ?? 0) & 0x7f);
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
  return Number(negative ? value - (1n << BigInt(8 * field.length - 1)) : value);
}

/** Sums with unsigned bytes, or, as some old tools did, with signed ones; the field itself counts as spaces. */
function checkSum(block: Buffer): void {
  let sum = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < tarBlockBytes; at += 1) {
    const byte = at >= 148 && at < 156 ? 0 : (block[at] as number);
    sum += byte;
    high += byte >> 7;
  }
  const expected = number(block, 148, 8, 'checksum');
  if (expected !== sum && expected !== sum - 256 * high)
    throw badTar(`header checksum: expected ${sum}, got ${expected}`);
}
