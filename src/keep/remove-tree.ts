import { execFile } from 'node:child_process';
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from './block-errors.ts';

/** Removes a tree; directories that nobody may write to are opened up first. Follows no symlink. No error when there is none. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (errorCode(error) === 'ENAMETOOLONG') return removeDeep(path);
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(errorCode(error) ?? '')) throw error;
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
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
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
