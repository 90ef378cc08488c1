import { chmod, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

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
