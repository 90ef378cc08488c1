import { existsSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { chmod, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a tree; directories that nobody may write to are opened up first. Follows no symlink. */
export async function removeTree(path: string): Promise<void> {
  try {
    if (removeSmallTree(path)) return;
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOTEMPTY') throw error;
    await openUp(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** Calls that block are cheaper, and what is left of most containers is a few empty directories. */
const fewEntries = 32;

/** Removes a tree of a few entries; says whether it did, after it may have removed some. */
function removeSmallTree(root: string): boolean {
  let left = fewEntries;
  const remove = (path: string): boolean => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      left -= 1;
      if (left < 0) return false;
      if (!entry.isDirectory()) unlinkSync(join(path, entry.name));
      else if (!remove(join(path, entry.name))) return false;
    }
    rmdirSync(path);
    return true;
  };
  return existsSync(root) ? remove(root) : true;
}

async function openUp(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openUp(join(path, entry.name));
  }
}

/** Overwrites every file of a directory before it is removed. A directory that was never made is fine. */
export async function wipe(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) await overwrite(join(directory, name)).catch(() => {});
}

async function overwrite(path: string): Promise<void> {
  const { size } = await stat(path);
  await chmod(path, 0o600);
  const file = await open(path, 'r+');
  try {
    await file.write(Buffer.alloc(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}
