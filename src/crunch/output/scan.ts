import { isUtf8 } from 'node:buffer';
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { HallmarkError } from '../../core/errors.ts';
import type { FileSegment } from '../../keep/collection.ts';
import { crunchError } from '../errors.ts';
import type { OutputDirectory, OutputNode } from './node.ts';

const entriesAtOnce = 512;
/** A directory that is larger itself is read without blocking: most outputs are small, and calls that block are cheaper. */
const largeDirectoryBytes = 1024 * 1024;

/**
 * Opens a directory, never through a symlink, for as long as `use` takes. What is read through the descriptor stays in it,
 * whatever is renamed meanwhile.
 */
export async function withDirectory<T>(path: string | Buffer, use: (descriptor: number) => Promise<T>): Promise<T> {
  const descriptor = openDirectory(path);
  try {
    return await use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openDirectory(path: string | Buffer): number {
  const open = () => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    makeReadable(path, 0o700);
    return open();
  }
}

/** open(2): names a file without opening it. */
const O_PATH = 0x200000;

/** An output is read whatever the command made of its permissions, by a user as by root. Follows no symlink. */
function makeReadable(path: string | Buffer, mode: number): void {
  const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${descriptor}`, mode);
  } finally {
    closeSync(descriptor);
  }
}

/** The path of an entry of an open directory. */
export function entryPath(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

/**
 * Reads an output directory without following anything out of it. FIFOs, sockets and devices are passed over with a warning;
 * a name that is not UTF-8, which no manifest can hold, gets its odd bytes as `%XX`, with a warning too.
 */
export async function scanOutput(path: string, warn: (text: string) => void): Promise<OutputDirectory> {
  try {
    return await withDirectory(path, (descriptor) => scanDirectory(descriptor, '', warn));
  } catch (cause) {
    throw cause instanceof HallmarkError ? cause : unreadable('.', cause);
  }
}

async function scanDirectory(descriptor: number, path: string, warn: (text: string) => void): Promise<OutputDirectory> {
  const own = fstatSync(descriptor, { bigint: true });
  const self = `/proc/self/fd/${descriptor}`;
  const isLarge = own.size > largeDirectoryBytes;
  const names = isLarge ? await readdir(self, { encoding: 'buffer' }) : readdirSync(self, { encoding: 'buffer' });
  const entries = new Map<string, OutputNode>();
  for (const [index, rawName] of names.entries()) {
    if (index % entriesAtOnce === entriesAtOnce - 1) await new Promise(setImmediate);
    const name = toName(rawName);
    const shown = path === '' ? name : `${path}/${name}`;
    if (entries.has(name)) throw ambiguousName(shown);
    const node = await scanEntry(entryPath(descriptor, rawName), { name, rawName, shown, warn });
    if (node) entries.set(name, node);
  }
  return { kind: 'directory', id: idOf(own), entries };
}

/** Device and inode. */
export const idOf = (stat: BigIntStats): string => `${stat.dev}:${stat.ino}`;

const ownId = BigInt(process.getuid?.() ?? 0);

/** One for all files: there may be millions. */
const noSegments: readonly FileSegment[] = [];

interface Entry {
  readonly name: string;
  readonly rawName: Buffer;
  /** Path from the output directory, for messages. */
  readonly shown: string;
  readonly warn: (text: string) => void;
}

async function scanEntry(path: Buffer, entry: Entry): Promise<OutputNode | undefined> {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const odd = !isUtf8(entry.rawName);
  if (odd) entry.warn(`the name of ${JSON.stringify(entry.shown)} is not UTF-8: its odd bytes are kept as %XX`);
  if (stat?.isFile()) {
    if ((stat.mode & 0o400n) === 0n && stat.uid === ownId) makeReadable(path, Number(stat.mode & 0o777n) | 0o400);
    const file = { kind: 'file', sizeBytes: Number(stat.size), segments: noSegments } as const;
    if (stat.nlink === 1n && !odd) return file;
    return { ...file, ...(stat.nlink > 1n && { sharedId: idOf(stat) }), ...(odd && { rawName: entry.rawName }) };
  }
  if (stat?.isSymbolicLink()) return { kind: 'symlink', target: readlinkSync(path) };
  if (!stat?.isDirectory()) {
    if (stat)
      entry.warn(`${JSON.stringify(entry.shown)} is neither file, directory nor symlink: it is left out of the output`);
    return undefined;
  }
  try {
    const directory = await withDirectory(path, (descriptor) => scanDirectory(descriptor, entry.shown, entry.warn));
    return odd ? { ...directory, rawName: entry.rawName } : directory;
  } catch (cause) {
    if (cause instanceof HallmarkError) throw cause;
    throw unreadable(entry.shown, cause);
  }
}

function unreadable(path: string, cause: unknown) {
  const { code } = cause as NodeJS.ErrnoException;
  return crunchError('crunch/bad-output', `cannot read the output directory ${JSON.stringify(path)}: ${code}`, {
    hint: 'leave output directories in their places, and readable',
    cause,
  });
}

/** Percent-encodes the bytes of a name that is not UTF-8 which are not ASCII. */
function toName(raw: Buffer): string {
  if (isUtf8(raw)) return raw.toString();
  return raw
    .toString('latin1')
    .replace(/[^ -~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function ambiguousName(path: string) {
  return crunchError(
    'crunch/bad-output-name',
    `two output files have the name ${JSON.stringify(path)} once it is made UTF-8`,
    {
      hint: 'rename one of them',
    },
  );
}
