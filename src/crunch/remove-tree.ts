import { chmod, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a tree; directories that nobody may write to are opened up first. Follows no symlink. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOTEMPTY') throw error;
    await openUp(path);
    await rm(path, { recursive: true, force: true });
  }
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
