import { followLinks } from '../../layers/paths.ts';
import type { TreeEntry } from '../../layers/view-layer.ts';

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

/**
 * The entry at `path` with every symlink followed inside the tree, as in a chroot: `..` and absolute targets never lead out of
 * it. Undefined where nothing is there.
 */
export async function resolveSource(tree: SourceTree, path: string): Promise<SourceEntry | undefined> {
  const walk = followLinks(path.split('/'));
  let step = walk.next();
  while (!step.done) {
    const entry = await tree.find(step.value);
    if (!entry) return undefined;
    step = walk.next(entry.type === 'symlink' ? (entry.linkTarget ?? '') : undefined);
  }
  return step.value === undefined ? undefined : tree.find(step.value);
}

/** `entry` and all below it, parents first. */
export async function* walk(tree: SourceTree, entry: SourceEntry): AsyncGenerator<SourceEntry> {
  yield entry;
  if (entry.type !== 'directory') return;
  for (const child of await tree.children(entry.path)) yield* walk(tree, child);
}
