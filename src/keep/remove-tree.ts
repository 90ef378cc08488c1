import { execFile } from 'node:child_process';
import type { Dirent } from 'node:fs';
import { chmod, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from './block-errors.ts';

/** Removes a tree; directories that nobody may write to are opened up first. Follows no symlink. No error when there is none. */
export async function removeTree(path: string): Promise<void> {
  try {
    await removeDirectory(Buffer.from(path));
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'ENAMETOOLONG') return removeDeep(path);
    if (['EACCES', 'EPERM', 'ENOTEMPTY'].includes(code)) await makeWritable(path);
    else if (!['EISDIR', 'ENOTDIR'].includes(code)) throw error;
    await rm(path, { recursive: true, force: true });
  }
}

const callsAtOnce = 16;

/** A few files at a time: `rm` of Node.js begins with all files of a tree at once, and takes a kilobyte of memory for each. */
async function removeDirectory(path: Buffer): Promise<void> {
  const remove = (entry: Dirent): Promise<void> => {
    const inner = Buffer.concat([path, Buffer.from(`/${entry.name}`, 'latin1')]);
    return entry.isDirectory() ? removeDirectory(inner) : unlink(inner).catch(allowGone);
  };
  try {
    // Names of any bytes: Latin-1 gives each its character.
    const entries = await readdir(path, { withFileTypes: true, encoding: 'latin1' });
    const directories = entries.filter((entry) => entry.isDirectory());
    const files = entries.filter((entry) => !entry.isDirectory());
    for (let at = 0; at < files.length; at += callsAtOnce)
      await Promise.all(files.slice(at, at + callsAtOnce).map(remove));
    for (const directory of directories) await remove(directory);
    await rmdir(path);
  } catch (error) {
    allowGone(error);
  }
}

function allowGone(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') throw error;
}

/** Directories so deep that no path names them all: these programs go down step by step. Neither follows a symlink. */
async function removeDeep(path: string): Promise<void> {
  const run = promisify(execFile);
  await run('chmod', ['-R', 'u+rwX', '--', path]);
  await run('rm', ['-rf', '--', path]);
}

/** What is gone meanwhile is fine: a `rm` that has failed may still be removing in other directories. */
async function makeWritable(directory: string): Promise<void> {
  try {
    await chmod(directory, 0o755);
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
    }
  } catch (error) {
    allowGone(error);
  }
}
