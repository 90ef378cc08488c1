import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** How a file of a read-only tree gets into another one. */
type Place = (source: string, target: string) => Promise<void>;

/** A copy that its owner may change; shares the bytes where the file system can. */
export const copyWritable: Place = async (source, target) => {
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, 0o644);
};

/** Another name of the same file, which nobody may write to; a copy where the two lie on different file systems. */
export const linkReadOnly: Place = async (source, target) => {
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
};

export const linkSymbolically: Place = (source, target) => symlink(source, target);

/** Makes `target` from the file or directory `source`; directories are new and writable, files come by `place`. */
export async function placeTree(source: string, target: string, place: Place): Promise<void> {
  const stat = await lstat(source);
  if (!stat.isDirectory()) return place(source, target);
  await mkdir(target, { recursive: true });
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) await placeTree(from, to, place);
    else await place(from, to);
  }
}
