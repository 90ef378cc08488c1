import { isUtf8 } from 'node:buffer';
import { constants, lstatSync, readlinkSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { crunchError } from '../errors.ts';
import type { OutputDirectory, OutputNode } from './node.ts';

const entriesAtOnce = 512;

/** Opens a directory, never through a symlink. What is read through the handle stays in it, whatever is renamed meanwhile. */
export function openDirectory(path: string | Buffer): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** The path of an entry of an open directory. */
export function entryPath(directory: FileHandle, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory.fd}/`), name]);
}

/**
 * Reads an output directory without following anything out of it. FIFOs, sockets and devices are passed over with a warning;
 * a name that is not UTF-8, which no manifest can hold, gets its odd bytes as `%XX`, with a warning too.
 */
export async function scanOutput(path: string, warn: (text: string) => void): Promise<OutputDirectory> {
  const handle = await openDirectory(path);
  try {
    return await scanDirectory(handle, '', warn);
  } finally {
    await handle.close();
  }
}

async function scanDirectory(handle: FileHandle, path: string, warn: (text: string) => void): Promise<OutputDirectory> {
  const own = await handle.stat({ bigint: true });
  const entries = new Map<string, OutputNode>();
  const names = await readdir(`/proc/self/fd/${handle.fd}`, { encoding: 'buffer' });
  for (const [index, rawName] of names.entries()) {
    if (index % entriesAtOnce === entriesAtOnce - 1) await new Promise(setImmediate);
    const name = toName(rawName);
    const shown = path === '' ? name : `${path}/${name}`;
    if (entries.has(name)) throw ambiguousName(shown);
    const node = await scanEntry(entryPath(handle, rawName), { name, rawName, shown, warn });
    if (node) entries.set(name, node);
  }
  return { kind: 'directory', id: `${own.dev}:${own.ino}`, entries };
}

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
    const node = { id: `${stat.dev}:${stat.ino}`, sizeBytes: Number(stat.size), hasOtherNames: stat.nlink > 1n };
    return { kind: 'file', ...node, ...(odd && { rawName: entry.rawName }) };
  }
  if (stat?.isSymbolicLink()) return { kind: 'symlink', target: readlinkSync(path) };
  if (!stat?.isDirectory()) {
    if (stat)
      entry.warn(`${JSON.stringify(entry.shown)} is neither file, directory nor symlink: it is left out of the output`);
    return undefined;
  }
  const handle = await openDirectory(path).catch((cause: NodeJS.ErrnoException) => {
    throw crunchError(
      'crunch/bad-output',
      `cannot read the output directory ${JSON.stringify(entry.shown)}: ${cause.code}`,
      {
        hint: 'leave the permissions of output directories as they are',
        cause,
      },
    );
  });
  try {
    return { ...(await scanDirectory(handle, entry.shown, entry.warn)), ...(odd && { rawName: entry.rawName }) };
  } finally {
    await handle.close();
  }
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
