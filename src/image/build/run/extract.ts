import { createWriteStream } from 'node:fs';
import { chmod, lchown, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type SourceEntry, type SourceTree, walk } from '../copy/source-tree.ts';

/**
 * Writes `entry` and all below it to `target`, which must not exist, inside a directory that only we write to. Nothing is
 * followed: the tree has no child below a link. Owners are kept where this process may give files away.
 */
export async function extractEntry(
  tree: SourceTree,
  entry: SourceEntry,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const entries = await Array.fromAsync(walk(tree, entry));
  const contents = await tree.openContents(
    entries.filter(({ type }) => type === 'file'),
    signal,
  );
  const mayChown = process.geteuid?.() === 0;
  try {
    for (const each of entries) {
      const path = join(target, each.path.slice(entry.path.length));
      if (each.type === 'directory') await mkdir(path);
      else if (each.type === 'symlink') await symlink(each.linkTarget ?? '', path);
      else if (each.type === 'file') {
        await pipeline(
          Readable.from(contents.read(each)),
          createWriteStream(path, { flags: 'wx' }),
          signal ? { signal } : {},
        );
      } else continue;
      if (mayChown) await lchown(path, each.uid, each.gid);
      if (each.type === 'file') await chmod(path, each.mode);
    }
    for (const each of entries.reverse()) {
      if (each.type === 'directory') await chmod(join(target, each.path.slice(entry.path.length)), each.mode);
    }
  } finally {
    await contents.close();
  }
}
