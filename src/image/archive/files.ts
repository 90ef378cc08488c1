import type { Readable } from 'node:stream';
import { imageError } from '../errors.ts';
import { maxManifestBytes } from '../manifest.ts';
import { readBounded } from '../streams.ts';
import type { TarType } from '../tar/entry.ts';
import { readTar } from '../tar/read.ts';
import { type RandomAccess, rangeSource } from '../tar/source.ts';

/** A folder of named blobs: an unpacked layout on disk, or a tar archive that can be read anywhere. */
export interface BlobFolder {
  /** For messages: the file or folder it is. */
  readonly name: string;
  find(path: string): Promise<BlobFile | undefined>;
}

export interface BlobFile {
  readonly path: string;
  readonly sizeBytes: number;
  open(signal?: AbortSignal, offset?: number): Promise<Readable>;
}

const maxMembers = 100_000;
const maxLinks = 8;

interface Member {
  readonly type: TarType;
  readonly linkPath: string;
  readonly start: number;
  readonly end: number;
}

/** Indexes the archive by reading its headers only; content is read when a file is opened. */
export async function openTarFolder(archive: RandomAccess, name: string, signal?: AbortSignal): Promise<BlobFolder> {
  const members = await indexMembers(archive, name, signal);
  return {
    name,
    async find(path) {
      const member = follow(members, path);
      if (!member) return undefined;
      const { start, end } = member;
      return {
        path,
        sizeBytes: end - start,
        open: async (signal, offset = 0) => archive.openRange(start + offset, end, signal),
      };
    },
  };
}

async function indexMembers(archive: RandomAccess, name: string, signal?: AbortSignal): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  for await (const { path, type, linkPath, size, dataOffset, isSparse } of readTar(rangeSource(archive, signal))) {
    if (isSparse) throw badArchive(name, `${JSON.stringify(path.slice(0, 200))} is sparse`);
    if (members.size >= maxMembers) throw badArchive(name, `it has more than ${maxMembers} members`);
    members.set(normal(path), { type, linkPath, start: dataOffset, end: dataOffset + size });
  }
  return members;
}

/** The file at `path`. Classic `docker save` writes a layer it has twice as a symlink to the first, `../<id>/layer.tar`. */
function follow(members: ReadonlyMap<string, Member>, path: string): Member | undefined {
  let at = normal(path);
  for (let links = 0; links <= maxLinks; links += 1) {
    const member = members.get(at);
    if (member?.type === 'file') return member;
    if (member?.type === 'symlink') at = normal(`${at.slice(0, at.lastIndexOf('/') + 1)}${member.linkPath}`);
    else if (member?.type === 'hardlink') at = normal(member.linkPath);
    else return undefined;
  }
  return undefined;
}

/** Names only ever index the archive's own members, so that `..` needs no more than arithmetic. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

export const badArchive = (name: string, why: string, cause?: unknown) =>
  imageError('image/bad-archive', `image archive ${name}: ${why}`, {
    hint: 'make it with docker save, podman save or skopeo',
    cause,
  });

export function noSuchTag(folder: BlobFolder, select: string | undefined, available: readonly string[]) {
  const wanted = select === undefined ? 'which of several images is not said' : `it holds no image ${select}`;
  return imageError('image/no-such-tag', `image archive ${folder.name}: ${wanted}; it holds ${available.join('; ')}`, {
    hint: 'name one of these',
  });
}

/** Fails with `image/bad-archive`. */
export async function findFile(folder: BlobFolder, path: string): Promise<BlobFile> {
  const file = await folder.find(path);
  if (!file) throw badArchive(folder.name, `${JSON.stringify(path.slice(0, 200))} is missing`);
  return file;
}

/** A manifest or config: at most 4 MiB. Fails with `image/bad-archive`. */
export const readFile = async (folder: BlobFolder, path: string): Promise<Buffer> =>
  readSmall(folder, await findFile(folder, path));

export async function readSmall(folder: BlobFolder, file: BlobFile): Promise<Buffer> {
  return readBounded(await file.open(), maxManifestBytes, () => badArchive(folder.name, `${file.path} is over 4 MiB`));
}

export function parseJson(bytes: Uint8Array, folder: BlobFolder): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw badArchive(folder.name, 'its manifest is no JSON', error);
  }
}
