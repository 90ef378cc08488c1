import { constants, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../block-errors.ts';
import type { TemporaryFolder } from './temporary.ts';

/** Everyone may read and run, nobody may write: so arv-mount shows files, and a hard link to a block looks alike. */
export const blockMode = 0o555;

/** How a finished file gets its name: written under `tmp`, then renamed, so that no reader ever sees a part of it. */
export interface Place {
  writeFile(path: string, data: Uint8Array): Promise<void>;
  /** Calls `fill` with a new temporary file, then names it as `fill` answers; undefined discards it. */
  fillFile(fill: (file: FileHandle) => Promise<string | undefined>): Promise<void>;
  /** A temporary file that shares the bytes of `path`; undefined where the file system cannot share. */
  cloneFile(path: string): Promise<string | undefined>;
  /** Renames a finished file to `path`. */
  moveFile(from: string, path: string): Promise<void>;
}

/** `fsync`: whether a file's bytes are forced to the disk before it gets its name. */
export function createPlace(temporary: TemporaryFolder, options: { readonly fsync: boolean }): Place {
  const moveFile = async (from: string, path: string) => {
    inDirectory(dirname(path), () => renameSync(from, path));
    if (options.fsync) await syncDirectory(dirname(path));
  };
  const fillFile: Place['fillFile'] = async (fill) => {
    const from = temporary.newPath();
    try {
      const path = await fillTemporary(from, fill);
      if (path !== undefined) return await moveFile(from, path);
    } catch (error) {
      await rm(from, { force: true });
      throw error;
    }
    await rm(from, { force: true });
  };
  const fillTemporary = async (from: string, fill: Parameters<Place['fillFile']>[0]) => {
    await using file = await createTemporary(from, temporary.directory);
    const path = await fill(file);
    if (path !== undefined && options.fsync) await file.sync();
    return path;
  };
  return {
    moveFile,
    fillFile,
    cloneFile: async (path) => {
      const clone = temporary.newPath();
      return (await cloneFile(path, clone)) ? clone : undefined;
    },
    writeFile: async (path, data) => {
      if (data.length <= smallBytes && !options.fsync) return writeSmallFile(temporary, path, data);
      await fillFile(async (file) => {
        await file.writeFile(data);
        return path;
      });
    },
  };
}

async function createTemporary(path: string, directory: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', blockMode);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await mkdir(directory, { recursive: true });
    return open(path, 'wx', blockMode);
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

/** Makes `to` share the extents of `from` (reflink). False: the file system cannot, nothing was made. */
async function cloneFile(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

/**
 * The size of the file at `path`; undefined when there is none. Not by the thread pool: to ask for cached metadata there takes
 * ten times as long as the answer.
 */
export function sizeOfFile(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** Small files are written in one go, for the same reason. */
const smallBytes = 128 * 1024;

function writeSmallFile(temporary: TemporaryFolder, path: string, data: Uint8Array): void {
  const from = temporary.newPath();
  try {
    inDirectory(temporary.directory, () => writeFileSync(from, data, { flag: 'wx', mode: blockMode }));
    inDirectory(dirname(path), () => renameSync(from, path));
  } catch (error) {
    rmSync(from, { force: true });
    throw error;
  }
}

/** Makes `directory` and tries again where a task fails because it is not there: it seldom is missing. */
function inDirectory(directory: string, task: () => void): void {
  try {
    task();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    mkdirSync(directory, { recursive: true });
    task();
  }
}
