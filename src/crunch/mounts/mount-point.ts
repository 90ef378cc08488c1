import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crunchError } from '../errors.ts';

/**
 * Makes the directories above `path` inside `root`, and returns the whole path. Follows no symlink: a commit or a collection
 * that holds one cannot make us write elsewhere. Fails with `crunch/bad-mount`.
 */
export function makeParents(root: string, path: string): string {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  let directory = root;
  for (const part of parts) {
    directory = join(directory, part);
    makeRealDirectory(directory, path);
  }
  return join(directory, name);
}

function makeRealDirectory(directory: string, path: string): void {
  const present = lstatSync(directory, { throwIfNoEntry: false });
  if (present === undefined) {
    mkdirSync(directory);
    return;
  }
  if (present.isDirectory()) return;
  throw crunchError(
    'crunch/bad-mount',
    `a mount at ${JSON.stringify(path)} lies below something that is no directory`,
    {
      hint: 'mount it at another path',
      where: { field: 'mounts' },
    },
  );
}

/** Makes an empty file or directory, as `source` is one, for a bind mount to cover. */
export function makeMountPoint(root: string, path: string, source: string): void {
  const point = makeParents(root, path);
  if (lstatSync(point, { throwIfNoEntry: false })) return;
  if (lstatSync(source).isDirectory()) mkdirSync(point);
  else writeFileSync(point, '', { flag: 'wx' });
}
