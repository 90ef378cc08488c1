import type { TreeEntry } from '../../layers/merged-tree.ts';

/** A file, directory, symlink or FIFO of what is copied from. Paths relative to its root, the root itself ''. */
export type SourceEntry = Omit<TreeEntry, 'layer' | 'contentOrdinal'>;

/** What COPY, ADD and bind mounts read: the build context, a stage or an image. */
export interface SourceTree {
  /** As lstat: the last part is not followed, parents must not be symlinks (see `resolveSource`). */
  find(path: string): Promise<SourceEntry | undefined>;
  /** Direct children, by name. */
  children(path: string): Promise<readonly SourceEntry[]>;
  /** Makes the contents of these files readable, in any order, until `close`. */
  openContents(files: readonly SourceEntry[], signal?: AbortSignal): Promise<Contents>;
  /** Names the tree for people: `the build context`, `stage "build"`, `image debian`. */
  readonly name: string;
}

export interface Contents {
  read(file: SourceEntry): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

const maxSymlinks = 40;

/**
 * The entry at `path` with every symlink followed inside the tree, as in a chroot: `..` and absolute targets never lead out of
 * it. Undefined where nothing is there.
 */
export async function resolveSource(tree: SourceTree, path: string): Promise<SourceEntry | undefined> {
  const todo = path.split('/').reverse();
  const done: string[] = [];
  let followed = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const entry = await tree.find([...done, part].join('/'));
    if (!entry) return undefined;
    if (entry.type !== 'symlink') {
      done.push(part);
      continue;
    }
    followed += 1;
    if (followed > maxSymlinks) return undefined;
    const target = entry.linkTarget ?? '';
    if (target.startsWith('/')) done.length = 0;
    todo.push(...target.split('/').reverse());
  }
  return tree.find(done.join('/'));
}

/** `entry` and all below it, parents first. */
export async function* walk(tree: SourceTree, entry: SourceEntry): AsyncGenerator<SourceEntry> {
  yield entry;
  if (entry.type !== 'directory') return;
  for (const child of await tree.children(entry.path)) yield* walk(tree, child);
}
