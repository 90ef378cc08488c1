import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../remove-tree.ts';
import { isWriterDead, writerName } from './writers.ts';

/** A folder of this process for files that are not finished; the next process that opens the store clears it. */
export interface TemporaryFolder {
  readonly directory: string;
  /** A path that nothing has used. */
  newPath(): string;
}

/** Makes this process' folder below `parent`, which tells the others that it is there, and removes those of processes that have ended. */
export async function openTemporaryFolder(parent: string): Promise<TemporaryFolder> {
  await mkdir(parent, { recursive: true });
  const self = writerName();
  const directory = join(parent, self);
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(parent)) {
    if (name !== self && (await isWriterDead(parent, name))) await removeTree(join(parent, name));
  }
  let count = 0;
  const tag = Math.random().toString(36).slice(2, 8);
  return {
    directory,
    newPath: () => {
      count += 1;
      return join(directory, `${tag}-${count}`);
    },
  };
}
