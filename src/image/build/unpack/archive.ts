import { posix } from 'node:path';
import { isHallmarkError, toMessage } from '../../../core/errors.ts';
import { imageError } from '../../errors.ts';
import { toParts } from '../../layers/paths.ts';
import { readTar, type TarMember } from '../../tar/read.ts';
import { streamSource } from '../../tar/source.ts';
import type { Destination } from '../copy/destination.ts';
import type { Contents, SourceEntry } from '../copy/source-tree.ts';
import type { Spool } from '../copy/spool.ts';
import { type Packing, sniffPacking, unpack } from './packing.ts';

const blockBytes = 512;

/** How ADD unpacks this file; undefined for what is no archive: that is copied as it is. */
export async function detectArchive(file: SourceEntry, contents: Contents): Promise<Packing | undefined> {
  if (file.type !== 'file') return undefined;
  const start = await readStart(contents.read(file));
  const packing = sniffPacking(start);
  if (packing === 'none') return isTar(start) ? packing : undefined;
  const unpacked = await readStart(unpack(contents.read(file), packing)).catch((error: unknown) => {
    if (isHallmarkError(error)) throw error;
    return undefined;
  });
  return unpacked && isTar(unpacked) ? packing : undefined;
}

async function readStart(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= blockBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, blockBytes);
}

/** A header block with the right checksum: old archives have no other mark. */
function isTar(block: Buffer): boolean {
  if (block.length < blockBytes || block.every((byte) => byte === 0)) return false;
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return Number.parseInt(block.toString('latin1', 148, 156), 8) === sum;
}

export interface Archive {
  readonly file: SourceEntry;
  readonly packing: Packing;
  readonly contents: Contents;
}

/** Puts the members of an archive below the directory `target`; nothing leaves the root. The spool is the caller's to close. */
export async function unpackInto(
  destination: Destination,
  target: string,
  archive: Archive,
  spool: Spool,
): Promise<void> {
  const tar = unpackWhole(archive);
  const sizes = new Map<string, number>();
  destination.makeDirectory(target);
  try {
    for await (const member of readTar(streamSource(tar)))
      await unpackMember(member, { destination, target, spool, sizes });
    // What is behind the end of the archive is padding; the packing is checked at its own end.
    for (let rest = await tar.next(); !rest.done; ) rest = await tar.next();
  } finally {
    await tar.return(undefined);
  }
}

async function* unpackWhole({ file, packing, contents }: Archive): AsyncGenerator<Uint8Array> {
  try {
    yield* unpack(contents.read(file), packing);
  } catch (cause) {
    if (isHallmarkError(cause)) throw cause;
    throw imageError('image/bad-archive', `cannot unpack ${file.path}: ${toMessage(cause)}`, {
      hint: 'the file is damaged, or was not copied whole: get it again',
      cause,
    });
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
