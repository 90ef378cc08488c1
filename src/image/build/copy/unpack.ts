import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { toParts } from '../../layers/paths.ts';
import { sniffCompression } from '../../media-types.ts';
import { readTar, type TarMember } from '../../tar/read.ts';
import { streamSource } from '../../tar/source.ts';
import type { Destination } from './destination.ts';
import { foreignArchive, isForeignArchive } from './foreign-archive.ts';
import type { Contents, SourceEntry } from './source-tree.ts';
import type { Spool } from './spool.ts';

const sniffBytes = 512;

/** How ADD unpacks this file; undefined for what is no archive. bzip2 and xz are refused: Node cannot read them. */
export async function detectArchive(
  file: SourceEntry,
  contents: Contents,
): Promise<'tar' | 'gzip' | 'zstd' | undefined> {
  if (file.type !== 'file') return undefined;
  const start = await readStart(contents.read(file));
  const packing = sniffCompression(start);
  const other =
    start.toString('latin1', 0, 3) === 'BZh' ? 'bzip2' : start.toString('latin1', 1, 6) === '7zXZ\0' ? 'xz' : undefined;
  if (other && isForeignArchive(file.path)) throw foreignArchive(file.path, other);
  if (packing === 'none') return isTar(start) ? 'tar' : undefined;
  const unpacked = await readStart(unpack(contents.read(file), packing)).catch(() => undefined);
  return unpacked && isTar(unpacked) ? packing : undefined;
}

async function readStart(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= sniffBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, sniffBytes);
}

/** A header block with the right checksum: old archives have no other mark. */
function isTar(block: Buffer): boolean {
  if (block.length < sniffBytes || block.every((byte) => byte === 0)) return false;
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return Number.parseInt(block.toString('latin1', 148, 156), 8) === sum;
}

async function* unpack(
  packed: AsyncIterable<Uint8Array>,
  packing: 'tar' | 'gzip' | 'zstd',
): AsyncGenerator<Uint8Array> {
  if (packing === 'tar') return yield* packed;
  const source = Readable.from(packed);
  const inflate = packing === 'gzip' ? createGunzip() : createZstdDecompress();
  source.on('error', (error) => inflate.destroy(error));
  try {
    yield* source.pipe(inflate) as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
    inflate.destroy();
  }
}

export interface Archive {
  readonly file: SourceEntry;
  readonly packing: 'tar' | 'gzip' | 'zstd';
  readonly contents: Contents;
}

/** Puts the members of an archive below the directory `target`; nothing leaves the root. The spool is the caller's to close. */
export async function unpackInto(
  destination: Destination,
  target: string,
  archive: Archive,
  spool: Spool,
): Promise<void> {
  const tar = unpack(archive.contents.read(archive.file), archive.packing);
  const sizes = new Map<string, number>();
  destination.makeDirectory(target);
  try {
    for await (const member of readTar(streamSource(tar)))
      await unpackMember(member, { destination, target, spool, sizes });
  } finally {
    await tar.return(undefined);
  }
}

interface Unpacking {
  readonly destination: Destination;
  readonly target: string;
  readonly spool: Spool;
  /** Of the files so far, for the hard links to them. */
  readonly sizes: Map<string, number>;
}

async function unpackMember(member: TarMember, { destination, target, spool, sizes }: Unpacking): Promise<void> {
  const name = toParts(member.path).join('/');
  if (name === '' || member.type === 'char' || member.type === 'block') return;
  const parent = destination.resolve(posix.join(target, posix.dirname(name)));
  destination.makeDirectory(parent);
  const path = posix.join(parent, posix.basename(name));
  const { type, mode, uid, gid, mtime, size, xattrs, linkPath } = member;
  const entry = { path: name, mode, uid, gid, mtime, size, xattrs };
  if (type === 'file') {
    await spool.add(name, member.content());
    sizes.set(name, size);
    destination.putMember(path, { ...entry, type }, () => spool.read(name));
  } else if (type === 'hardlink') {
    const linked = toParts(linkPath).join('/');
    destination.putMember(path, { ...entry, type: 'file', size: sizes.get(linked) ?? 0 }, () => spool.read(linked));
  } else if (type === 'symlink') destination.putMember(path, { ...entry, type, linkTarget: linkPath });
  else destination.putMember(path, { ...entry, type });
}
