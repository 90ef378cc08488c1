import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { imageError } from '../../errors.ts';
import { noXattrs } from '../../tar/entry.ts';
import type { IgnoreRules } from './ignore.ts';
import type { SourceEntry, SourceTree } from './source-tree.ts';

/**
 * The build context on disk, without what is ignored. All is owned by root, and no time of the host is kept (`mtime` is
 * Infinity, for the clamp to bring down): equal content gives equal layers on every machine.
 */
export function createContextTree(contextDir: string, rules: IgnoreRules): SourceTree {
  const tree: SourceTree = {
    name: 'the build context',
    async find(path) {
      const entry = statEntry(contextDir, path);
      return entry && (await isVisible(entry)) ? entry : undefined;
    },
    async children(path) {
      const names = readdirSync(join(contextDir, path));
      const found: SourceEntry[] = [];
      for (const name of names.sort()) {
        const entry = await tree.find(path === '' ? name : `${path}/${name}`);
        if (entry) found.push(entry);
      }
      return found;
    },
    openContents: async () => ({
      read: (file) => readContextFile(join(contextDir, file.path), file),
      close: async () => {},
    }),
  };
  /** An ignored directory is there all the same where an exception brings back something below it. */
  const isVisible = async (entry: SourceEntry): Promise<boolean> => {
    if (!rules.isIgnored(entry.path)) return true;
    if (entry.type !== 'directory' || !rules.hasExceptions) return false;
    return (await tree.children(entry.path)).length > 0;
  };
  return tree;
}

/** The calls of this file are the blocking ones: for the many small files of a context they take a tenth of the others' time. */
function statEntry(contextDir: string, path: string): SourceEntry | undefined {
  const hostPath = join(contextDir, path);
  const stats = lstatIfThere(hostPath);
  if (!stats) return undefined;
  const type = typeOf(stats);
  if (!type) {
    const expected = 'expected files, directories and links in the build context';
    throw imageError('image/context-escape', `${expected}, got a device or socket at ${path}`);
  }
  return {
    ...{ path, type, mode: stats.mode & 0o7777, uid: 0, gid: 0, mtime: Number.POSITIVE_INFINITY, xattrs: noXattrs },
    size: type === 'file' ? stats.size : 0,
    ...(type === 'symlink' && { linkTarget: readlinkSync(hostPath) }),
  };
}

function lstatIfThere(hostPath: string): Stats | undefined {
  try {
    return lstatSync(hostPath, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function typeOf(stats: Stats): SourceEntry['type'] | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  return stats.isFIFO() ? 'fifo' : undefined;
}

const readBytes = 256 * 1024;

/** Opened without following a link, and without waiting for the writer of a FIFO that took the file's place. */
async function* readContextFile(hostPath: string, file: SourceEntry): AsyncGenerator<Uint8Array> {
  const fd = openSync(hostPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    if (size !== file.size) throw changed(file, size);
    for (let done = 0; done < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(readBytes, size - done));
      const bytesRead = readSync(fd, chunk, 0, chunk.length, done);
      if (bytesRead === 0) throw changed(file, done);
      done += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    closeSync(fd);
  }
}

const changed = ({ path, size }: SourceEntry, got: number) =>
  imageError('image/bad-dockerfile', `${path} changed during the build: expected ${size} bytes, got ${got}`, {
    retryable: true,
  });
