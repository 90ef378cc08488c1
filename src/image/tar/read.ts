import { noXattrs, type TarEntry, type TarType, tarBlockBytes, tarPadding } from './entry.ts';
import { badTar, isZeroBlock, parseHeader, type RawHeader, size } from './header.ts';
import { decodeName } from './names.ts';
import { type PaxRecords, parsePax, paxNumber, paxText } from './pax.ts';
import type { ByteSource } from './source.ts';
import { expandSparse, readOldGnuSparse, readPaxSparse, type SparseMap } from './sparse.ts';

/** A member as the reader meets it. `content` may be read once, until the next member is asked for. */
export interface TarMember extends TarEntry {
  content(): AsyncGenerator<Buffer>;
  /** Where the stored bytes start in the source; they are the content unless `isSparse`. */
  readonly dataOffset: number;
  readonly dataEnd: number;
  readonly isSparse: boolean;
}

/** Extension headers are held in memory, so they are bounded. */
const maxExtensionBytes = 1024 * 1024;

const types: ReadonlyMap<string, TarType> = new Map<string, TarType>([
  ['0', 'file'],
  ['\0', 'file'],
  ['7', 'file'],
  ['S', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'char'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
]);

interface Extensions {
  pax: PaxRecords;
  longName?: string;
  longLink?: string;
}

/**
 * The members of a tar archive in order: ustar, pax, GNU long names and every sparse format. Stops at the first zero block, as
 * all common readers do; what follows it is nobody's. Fails with `image/bad-archive`.
 */
export async function* readTar(source: ByteSource): AsyncGenerator<TarMember> {
  let extensions: Extensions = { pax: new Map() };
  for (;;) {
    const block = await source.read(tarBlockBytes);
    if (!block || isZeroBlock(block)) return;
    const header = parseHeader(block);
    if ('xgLK'.includes(header.typeFlag)) {
      await readExtension(header, source, extensions);
      continue;
    }
    const member = await toMember(header, block, extensions, source);
    yield member;
    extensions = { pax: new Map() };
    await source.skip(member.dataEnd - source.position);
  }
}

async function readExtension(header: RawHeader, source: ByteSource, into: Extensions): Promise<void> {
  if (header.size > maxExtensionBytes) throw badTar(`an extension header of ${header.size} bytes`);
  const bytes = (await source.read(header.size)) ?? Buffer.alloc(0);
  await source.skip(tarPadding(header.size));
  if (header.typeFlag === 'x') into.pax = parsePax(bytes);
  const end = bytes.indexOf(0);
  const text = decodeName(end < 0 ? bytes : bytes.subarray(0, end));
  if (header.typeFlag === 'L') into.longName = text;
  if (header.typeFlag === 'K') into.longLink = text;
}

async function toMember(header: RawHeader, block: Buffer, extensions: Extensions, source: ByteSource) {
  const { pax } = extensions;
  const path = paxText(pax, 'GNU.sparse.name') ?? paxText(pax, 'path') ?? extensions.longName ?? header.name;
  const type = toType(header.typeFlag, path);
  const stored = size(paxNumber(pax, 'size') ?? header.size);
  const data = await locateData(header, block, pax, stored, source);
  const isFile = type === 'file';
  return {
    path,
    type,
    mode: header.mode,
    uid: paxNumber(pax, 'uid') ?? header.uid,
    gid: paxNumber(pax, 'gid') ?? header.gid,
    mtime: paxNumber(pax, 'mtime') ?? header.mtime,
    size: !isFile ? 0 : (data.sparse?.realSize ?? stored),
    linkPath: type === 'symlink' || type === 'hardlink' ? linkPath(header, extensions) : '',
    xattrs: xattrs(pax),
    dataOffset: data.start,
    // A hard link, directory or device has no content, whatever its size says (as Go's archive/tar has it).
    dataEnd: isFile ? data.end : data.start,
    isSparse: data.sparse !== undefined,
    async *content() {
      if (data.sparse) yield* expandSparse(data.sparse, source);
      else if (isFile) yield* source.chunks(stored);
    },
  };
}

/** An old GNU sparse map lies between header and content and is not counted in the size; a pax 1.0 map is. */
async function locateData(header: RawHeader, block: Buffer, pax: PaxRecords, stored: number, source: ByteSource) {
  let sparse: SparseMap | undefined;
  if (header.typeFlag === 'S' && header.isGnu) sparse = await readOldGnuSparse(block, source);
  const start = source.position;
  sparse ??= await readPaxSparse(pax, source);
  return { sparse, start, end: start + stored + tarPadding(stored) };
}

function toType(flag: string, path: string): TarType {
  const type = types.get(flag);
  if (!type)
    throw badTar(`an entry of the unknown type ${JSON.stringify(flag)}: ${JSON.stringify(path.slice(0, 200))}`);
  return type === 'file' && path.endsWith('/') ? 'directory' : type;
}

const linkPath = (header: RawHeader, { pax, longLink }: Extensions): string =>
  paxText(pax, 'linkpath') ?? longLink ?? header.linkName;

const xattrPrefix = 'SCHILY.xattr.';

function xattrs(pax: PaxRecords): TarEntry['xattrs'] {
  if (pax.size === 0) return noXattrs;
  const found = [...pax].filter(([key]) => key.startsWith(xattrPrefix));
  return new Map(found.map(([key, value]) => [key.slice(xattrPrefix.length), value]));
}
