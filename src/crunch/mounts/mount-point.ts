import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crunchError } from '../errors.ts';

/**
 * Makes the directories above `path` inside `root`, and returns the whole path. Follows no symlink: a commit or a collection
 * that holds one cannot make us write elsewhere. Fails with `crunch/bad-mount`.
 */
export async function makeParents(root: string, path: string): Promise<string> {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  let directory = root;
  for (const part of parts) {
    directory = join(directory, part);
    await mkdir(directory).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      if ((await lstat(directory)).isDirectory()) return;
      throw crunchError(
        'crunch/bad-mount',
        `a mount at ${JSON.stringify(path)} lies below something that is no directory`,
        {
          hint: 'mount it at another path',
          where: { field: 'mounts' },
        },
      );
    });
  }
  return join(directory, name);
}

/** Makes an empty file or directory, as `source` is one, for a bind mount to cover. */
export async function makeMountPoint(root: string, path: string, source: string): Promise<void> {
  const point = await makeParents(root, path);
  const present = await lstat(point).catch(() => undefined);
  if (present && !present.isSymbolicLink()) return;
  const isDirectory = (await lstat(source)).isDirectory();
  if (isDirectory) await mkdir(point);
  else await writeFile(point, '', { flag: 'wx' });
}
