import { access, readFile, realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toMessage } from '../../core/errors.ts';
import { cwlError } from '../../cwl/errors.ts';
import type { Fetcher } from '../../cwl/port.ts';

export interface FileFetcherOptions {
  /** Directories in and below which files may be read; looked at for each file. Absent: everywhere. */
  readonly roots?: readonly string[];
  readonly maxBytes?: number;
}

const defaultMaxBytes = 256 * 1024 * 1024;

/** Reads `file:` URIs. Symbolic links count as what they point to. */
export function createFileFetcher(options: FileFetcherOptions = {}): Fetcher {
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  return {
    async fetchText(uri) {
      const path = await readablePath(uri, options.roots);
      const { size } = await stat(path);
      if (size > maxBytes)
        throw cwlError('cwl/fetch-refused', `${path} is too large: expected at most ${maxBytes} bytes, got ${size}`);
      return readFile(path, 'utf8');
    },
    async exists(uri) {
      try {
        await access(await readablePath(uri, options.roots));
        return true;
      } catch {
        return false;
      }
    },
  };
}

async function readablePath(uri: string, roots: readonly string[] | undefined): Promise<string> {
  const path = toPath(uri);
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    const hint =
      error.code === 'ENOENT' ? 'check the spelling; references are relative to the document they stand in' : undefined;
    throw cwlError('cwl/not-found', `cannot read ${path}: ${reasonOf(error)}`, { cause: error, ...(hint && { hint }) });
  });
  if (!(await stat(real)).isFile()) throw cwlError('cwl/not-found', `cannot read ${path}: it is not a file`);
  if (roots) await refuseOutside(real, path, roots);
  return real;
}

/** Fails with `cwl/fetch-refused` for a file or folder outside `roots`. What is not there is for its reader to tell. */
export async function checkInside(uri: string, roots: readonly string[]): Promise<void> {
  const path = toPath(uri);
  const real = await realpath(path).catch(() => path);
  await refuseOutside(real, path, roots);
}

async function refuseOutside(real: string, path: string, roots: readonly string[]): Promise<void> {
  if (await isInside(real, roots)) return;
  const hint = 'allow it with --allow-read FOLDER, or move it beside the document';
  const where =
    roots.length === 0 ? 'the document is not of this machine' : `it is outside ${[...new Set(roots)].join(', ')}`;
  throw cwlError('cwl/fetch-refused', `reading ${path} is not allowed: ${where}`, { hint });
}

function toPath(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (error) {
    throw cwlError('cwl/fetch-refused', `not the URI of a file on this machine: ${uri} (${toMessage(error)})`, {
      cause: error,
    });
  }
}

async function isInside(path: string, roots: readonly string[]): Promise<boolean> {
  const real = await Promise.all(roots.map((root) => realpath(root).catch(() => root)));
  return real.some((root) => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  ELOOP: 'too many symbolic links',
  ENOTDIR: 'a part of the path is not a directory',
};
const reasonOf = (error: NodeJS.ErrnoException): string => reasons[error.code ?? ''] ?? error.message;
