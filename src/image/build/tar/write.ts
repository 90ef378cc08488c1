import { Readable } from 'node:stream';
import { type TarEntry, type TarType, tarBlockBytes, tarPadding } from './entry.ts';

const typeFlags: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

export interface TarWriteMember {
  readonly entry: TarEntry;
  /** Exactly `entry.size` bytes; absent for all but files. */
  readonly body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A tar stream of `members` in their order. Equal members give equal bytes: no user names, no clock. */
export function writeTar(members: AsyncIterable<TarWriteMember> | Iterable<TarWriteMember>): Readable {
  return Readable.from(tarChunks(members), { objectMode: false });
}

async function* tarChunks(
  members: AsyncIterable<TarWriteMember> | Iterable<TarWriteMember>,
): AsyncGenerator<Uint8Array> {
  for await (const { entry, body } of members) {
    yield encodeEntry(entry);
    if (entry.type !== 'file' || entry.size === 0) continue;
    let written = 0;
    for await (const chunk of body ?? []) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== entry.size) throw new Error(`expected ${entry.size} bytes of ${entry.path}, got ${written}`);
    yield Buffer.alloc(tarPadding(written));
  }
  yield Buffer.alloc(2 * tarBlockBytes);
}

function encodeEntry(entry: TarEntry): Buffer {
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const records = paxRecords(entry, name);
  const header = encodeHeader(entry, name, typeFlags[entry.type]);
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  const pax = { ...entry, mode: 0o644, uid: 0, gid: 0, size: body.length, type: 'file', linkPath: '' } as const;
  const padding = Buffer.alloc(tarPadding(body.length));
  return Buffer.concat([encodeHeader(pax, 'PaxHeaders/entry', 'x'), body, padding, header]);
}

const fitsOctal = (value: number, digits: number) => value >= 0 && value < 8 ** digits;
const fitsText = (text: string) => text.length <= 100 && /^[\x20-\x7e]*$/.test(text);

function paxRecords(entry: TarEntry, name: string): Buffer[] {
  const values: [string, string | Buffer][] = [];
  if (!fitsText(name)) values.push(['path', name]);
  if (!fitsText(entry.linkPath)) values.push(['linkpath', entry.linkPath]);
  if (!fitsOctal(entry.size, 11)) values.push(['size', String(entry.size)]);
  if (!fitsOctal(entry.uid, 7)) values.push(['uid', String(entry.uid)]);
  if (!fitsOctal(entry.gid, 7)) values.push(['gid', String(entry.gid)]);
  for (const [key, value] of [...entry.xattrs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    values.push([`SCHILY.xattr.${key}`, value]);
  }
  return values.map(([key, value]) => paxRecord(key, Buffer.from(value)));
}

/** `<length of the whole record> key=value\n`. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function encodeHeader(entry: TarEntry, name: string, flag: string): Buffer {
  const header = Buffer.alloc(tarBlockBytes);
  const octal = (value: number, at: number, digits: number) => {
    const fits = fitsOctal(value, digits) ? Math.floor(value) : 0;
    header.write(`${fits.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  header.write(toAscii(name), 0, 100, 'latin1');
  octal(entry.mode, 100, 7);
  octal(entry.uid, 108, 7);
  octal(entry.gid, 116, 7);
  octal(entry.size, 124, 11);
  octal(Math.max(0, entry.mtime), 136, 11);
  header.write(flag, 156, 'latin1');
  header.write(toAscii(entry.linkPath), 157, 100, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The header's own field where a pax record has the true text: readers that know pax never look at it. */
function toAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '_').slice(0, 100);
}
