import { type TarEntry, type TarType, tarBlockBytes, tarPadding } from './entry.ts';
import { encodeName } from './names.ts';
import { formatPax, paxValue } from './pax.ts';

const flags: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const maxOctal7 = 0o7777777;
const maxOctal11 = 0o77777777777;

/** What a header is written from; what is left out is 0 or empty. Device numbers are always 0/0: nothing else is ever written. */
export type TarHeader = Pick<TarEntry, 'path' | 'type'> & Partial<TarEntry>;

/** The header blocks of one member: ustar, with a pax header before it for what ustar cannot say. Equal input, equal bytes. */
export function tarHeader(entry: TarHeader): Buffer {
  const records = paxRecords(entry);
  const header = ustar(entry, flags[entry.type]);
  if (records.size === 0) return header;
  const body = formatPax(records);
  const extension = ustar({ path: 'PaxHeaders/0', type: 'file', mode: 0o644, size: body.length }, 'x');
  return Buffer.concat([extension, body, Buffer.alloc(tarPadding(body.length)), header]);
}

/** Two zero blocks: the end of every archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * tarBlockBytes);

/** The bytes after the content of a file. */
export const tarFill = (size: number): Buffer => zeros.subarray(0, tarPadding(size));

const zeros = Buffer.alloc(tarBlockBytes);

function paxRecords(entry: TarHeader): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  const path = encodeName(entry.path);
  const link = encodeName(entry.linkPath ?? '');
  const { size = 0, uid = 0, gid = 0, mtime = 0 } = entry;
  if (path.length > 100) records.set('path', path);
  if (link.length > 100) records.set('linkpath', link);
  if (size > maxOctal11) records.set('size', paxValue(size));
  if (uid > maxOctal7 || uid < 0) records.set('uid', paxValue(uid));
  if (gid > maxOctal7 || gid < 0) records.set('gid', paxValue(gid));
  if (!Number.isInteger(mtime) || mtime < 0 || mtime > maxOctal11) records.set('mtime', paxValue(mtime.toFixed(9)));
  for (const [key, value] of entry.xattrs ?? []) records.set(`SCHILY.xattr.${key}`, value);
  return records;
}

function ustar(entry: TarHeader, flag: string): Buffer {
  // From the pool: a buffer of its own for each of a hundred thousand members is slow.
  const block = Buffer.allocUnsafe(tarBlockBytes).fill(0);
  encodeName(entry.path).copy(block, 0, 0, 100);
  octal(block, 100, 8, entry.mode ?? 0);
  octal(block, 108, 8, entry.uid ?? 0);
  octal(block, 116, 8, entry.gid ?? 0);
  octal(block, 124, 12, entry.size ?? 0);
  octal(block, 136, 12, Math.floor(entry.mtime ?? 0));
  block.write(flag, 156, 'latin1');
  encodeName(entry.linkPath ?? '').copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, 0);
  octal(block, 337, 8, 0);
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Zero-padded octal; what does not fit is 0 here and right in the pax header. */
function octal(block: Buffer, offset: number, length: number, value: number): void {
  const digits = Math.max(0, value).toString(8);
  block.write((digits.length < length ? digits : '0').padStart(length - 1, '0'), offset, 'latin1');
}
