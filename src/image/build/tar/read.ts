import { imageError } from '../../errors.ts';
import { type TarEntry, type TarType, tarBlockBytes, tarPadding } from './entry.ts';

/** The body is valid until the next entry is asked for; what is not read of it is skipped. */
export interface ReadTarEntry {
  readonly entry: TarEntry;
  readonly body: AsyncIterable<Buffer>;
}

const xattrPrefix = 'SCHILY.xattr.';
const maxMetadataBytes = 1 << 20;
const typesByFlag = new Map<string, TarType>([
  ['0', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'char'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
  ['\0', 'file'],
  ['7', 'file'],
]);

/**
 * Entries of an uncompressed tar in their order: ustar, pax and GNU long names; memory does not depend on sizes.
 * Stops at the end-of-archive blocks. Fails with `image/bad-archive` on damage, on a cut and on sparse files.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadTarEntry> {
  const input = createInput(source);
  let pax: Record<string, string> = {};
  const globals: Record<string, string> = {};
  let long: { name?: string; linkName?: string } = {};
  try {
    for (let header = await readHeader(input); header; header = await readHeader(input)) {
      const flag = String.fromCharCode(header[156] ?? 0);
      const size = readNumber(header, 124, 12);
      if (flag === 'x') pax = parsePax(await readMetadata(input, size));
      else if (flag === 'g') Object.assign(globals, parsePax(await readMetadata(input, size)));
      else if (flag === 'L') long = { ...long, name: cString(await readMetadata(input, size)) };
      else if (flag === 'K') long = { ...long, linkName: cString(await readMetadata(input, size)) };
      else {
        const entry = toEntry(header, flag, { ...globals, ...pax }, long);
        [pax, long] = [{}, {}];
        const stored = entry.type === 'file' ? entry.size : 0;
        const body = input.section(stored);
        yield { entry, body: body.chunks };
        await body.skip();
      }
    }
  } finally {
    await input.close();
  }
}

function toEntry(
  header: Buffer,
  flag: string,
  pax: Record<string, string>,
  long: { name?: string; linkName?: string },
): TarEntry {
  const type = typesByFlag.get(flag);
  if (!type || Object.keys(pax).some((key) => key.startsWith('GNU.sparse'))) {
    throw imageError('image/bad-archive', `expected a plain tar entry, got type ${JSON.stringify(flag)}`);
  }
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? cString(header.subarray(345, 500)) : '';
  const short = cString(header.subarray(0, 100));
  const name = pax.path ?? long.name ?? (prefix ? `${prefix}/${short}` : short);
  const linkName = pax.linkpath ?? long.linkName ?? cString(header.subarray(157, 257));
  const xattrs = Object.entries(pax).filter(([key]) => key.startsWith(xattrPrefix));
  const isOldDirectory = type === 'file' && name.endsWith('/');
  return {
    path: name.replace(/(?<=.)\/+$/, ''),
    type: isOldDirectory ? 'directory' : type,
    mode: readNumber(header, 100, 8) & 0o7777,
    uid: pax.uid === undefined ? readNumber(header, 108, 8) : Number(pax.uid),
    gid: pax.gid === undefined ? readNumber(header, 116, 8) : Number(pax.gid),
    size: type !== 'file' ? 0 : pax.size === undefined ? readNumber(header, 124, 12) : Number(pax.size),
    mtime: pax.mtime === undefined ? readNumber(header, 136, 12) : Number(pax.mtime),
    linkPath: type === 'hardlink' || type === 'symlink' ? linkName : '',
    xattrs: new Map(xattrs.map(([key, value]) => [key.slice(xattrPrefix.length), Buffer.from(value, 'latin1')])),
  };
}

const cString = (bytes: Buffer) => {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
};

function readNumber(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) {
    let value = (header[at] ?? 0) & 0x7f;
    for (let index = at + 1; index < at + length; index += 1) value = value * 256 + (header[index] ?? 0);
    return value;
  }
  const text = cString(header.subarray(at, at + length)).trim();
  if (!/^[0-7]*$/.test(text))
    throw imageError('image/bad-archive', `expected an octal number, got ${JSON.stringify(text)}`);
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/** Keys as text; values of extended attributes as latin-1, so that no byte is lost. */
function parsePax(bytes: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, space));
    const equals = bytes.indexOf(0x3d, space);
    if (space < 0 || equals < 0 || !Number.isInteger(length) || length < 5 || at + length > bytes.length) {
      throw imageError('image/bad-archive', 'expected a pax record "<length> <key>=<value>", got something else');
    }
    const key = bytes.toString('utf8', space + 1, equals);
    records[key] = bytes.toString(key.startsWith(xattrPrefix) ? 'latin1' : 'utf8', equals + 1, at + length - 1);
    at += length;
  }
  return records;
}

async function readHeader(input: Input): Promise<Buffer | undefined> {
  const header = await input.take(tarBlockBytes, true);
  if (!header || header.every((byte) => byte === 0)) return undefined;
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (sum !== readNumber(header, 148, 8))
    throw imageError('image/bad-archive', 'the checksum of a tar header does not match');
  return header;
}

async function readMetadata(input: Input, size: number): Promise<Buffer> {
  if (size > maxMetadataBytes)
    throw imageError('image/bad-archive', `expected at most 1 MiB of metadata, got ${size} bytes`);
  const bytes = (await input.take(size, false)) ?? Buffer.alloc(0);
  await input.take(tarPadding(size), false);
  return Buffer.from(bytes);
}

interface Input {
  /** Exactly `size` bytes; undefined where the source ended before the first and `orEnd` allows it. */
  take(size: number, orEnd: boolean): Promise<Buffer | undefined>;
  section(size: number): { readonly chunks: AsyncIterable<Buffer>; skip(): Promise<void> };
  close(): Promise<void>;
}

function createInput(source: AsyncIterable<Uint8Array>): Input {
  const iterator = source[Symbol.asyncIterator]();
  let pending: Buffer = Buffer.alloc(0);
  const fill = async (): Promise<boolean> => {
    const next = await iterator.next();
    if (next.done) return false;
    pending = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
    return true;
  };
  const some = async (limit: number): Promise<Buffer | undefined> => {
    while (pending.length === 0) if (!(await fill())) return undefined;
    const chunk = pending.subarray(0, limit);
    pending = pending.subarray(chunk.length);
    return chunk;
  };
  const cut = () => imageError('image/bad-archive', 'the tar archive ends in the middle of an entry');
  return {
    async take(size, orEnd) {
      const parts: Buffer[] = [];
      for (let left = size; left > 0; ) {
        const chunk = await some(left);
        if (!chunk && orEnd && left === size) return undefined;
        if (!chunk) throw cut();
        parts.push(chunk);
        left -= chunk.length;
      }
      return parts.length === 1 ? parts[0] : Buffer.concat(parts);
    },
    section(size) {
      let left = size;
      const chunks = (async function* () {
        while (left > 0) {
          const chunk = await some(left);
          if (!chunk) throw cut();
          left -= chunk.length;
          yield chunk;
        }
      })();
      const skip = async () => {
        left += tarPadding(size);
        while (left > 0) {
          const chunk = await some(left);
          if (!chunk) throw cut();
          left -= chunk.length;
        }
      };
      return { chunks, skip };
    },
    close: async () => void (await iterator.return?.()),
  };
}
