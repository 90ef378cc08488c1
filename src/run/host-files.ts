import type { Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLimiter } from '../core/concurrency.ts';
import { toMessage } from '../core/errors.ts';
import type { CollectionFile } from '../keep/collection.ts';
import { toSegments } from '../keep/collection-writer.ts';
import type { LocalBlockStore } from '../keep/port.ts';
import { runError } from './errors.ts';

/** Files, and directories that are empty, by their paths in a collection to be. */
export interface Tree {
  readonly files: readonly CollectionFile[];
  readonly directories: readonly string[];
}

export interface HostFiles {
  /** The file or, with all below it, the directory at `path`, stored; in the tree it is called `name` (`''`: it is the root). */
  read(path: string, kind: 'File' | 'Directory', name: string): Promise<Tree>;
}

/** Files and folders are read this many at a time. */
const atOnce = 4;

/**
 * Stores what is on this machine as blocks. Symbolic links are followed, those that lead round in a circle refused; what is neither
 * file nor directory is refused before it is opened, so that nothing hangs.
 */
export function createHostFiles(blocks: LocalBlockStore, signal?: AbortSignal): HostFiles {
  const limited = createLimiter(atOnce);

  async function readFile(path: string, name: string): Promise<Tree> {
    const stored = await limited(async () => blocks.storeFile(await realpath(path), signal));
    return { files: [{ path: name, sizeBytes: stored.sizeBytes, segments: toSegments(stored) }], directories: [] };
  }

  async function readDirectory(path: string, name: string, above: readonly string[]): Promise<Tree> {
    const real = await realpath(path);
    if (above.includes(real)) {
      throw runError('run/bad-input', `directory ${path} contains itself through a symbolic link`, {
        hint: 'remove the link',
      });
    }
    const entries = (await limited(() => readdir(path))).sort();
    if (entries.length === 0) return { files: [], directories: name === '' ? [] : [name] };
    const trees = await Promise.all(
      entries.map(async (entry) => {
        const [child, childName] = [join(path, entry), name === '' ? entry : `${name}/${entry}`];
        const kind = kindOf(await statInput(child));
        if (kind === 'Directory') return readDirectory(child, childName, [...above, real]);
        if (kind === 'File') return readFile(child, childName);
        throw runError('run/bad-input', `${child} is ${shown[kind]}`, { hint: 'leave it out of the input' });
      }),
    );
    return { files: trees.flatMap((tree) => tree.files), directories: trees.flatMap((tree) => tree.directories) };
  }

  return {
    async read(path, kind, name) {
      const got = kindOf(await statInput(path));
      if (got !== kind) throw runError('run/bad-input', `expected a ${kind} at ${path}, got ${shown[got]}`);
      return kind === 'File' ? readFile(path, name) : readDirectory(path, name, []);
    },
  };
}

type Kind = 'File' | 'Directory' | 'other';
const shown = { File: 'a File', Directory: 'a Directory', other: 'neither a file nor a directory' } as const;

function kindOf(stats: Stats): Kind {
  if (stats.isFile()) return 'File';
  return stats.isDirectory() ? 'Directory' : 'other';
}

async function statInput(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    throw runError('run/input-missing', `cannot read input ${path}: ${toMessage(cause)}`, {
      hint: 'paths in a job file are relative to that file, those of a default to its document',
      cause,
    });
  }
}

export function isHostLocation(location: string | undefined): location is string {
  return location !== undefined && (/^(file|https?|s3):/.test(location) || location.startsWith('/'));
}

export const isRemote = (location: string): boolean => /^(https?|s3):/.test(location);

/** The path that a `file:` URL or a plain path names; a fragment belongs to the name. */
export function toHostPath(location: string): string {
  return location.startsWith('/') ? location : fileURLToPath(new URL(location).href.replace(/#/g, '%23'));
}
