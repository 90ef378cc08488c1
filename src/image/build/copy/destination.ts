import { posix } from 'node:path';
import { imageError } from '../../errors.ts';
import type { MergedTree } from '../../layers/merged-tree.ts';
import { resolveParents } from '../../layers/paths.ts';
import { noXattrs, type TarEntry } from '../../tar/entry.ts';
import type { LayerMember } from '../cache/members.ts';
import type { Chmod } from './chmod.ts';
import { impliedDirectory } from './layer-tree.ts';
import type { Owner } from './owner.ts';
import type { SourceEntry } from './source-tree.ts';

export interface DestinationOptions {
  readonly clampSeconds: number;
  /** `--chown`; absent: what is copied keeps its owner, and new directories are root's. */
  readonly owner?: Owner;
  readonly chmod?: Chmod;
}

type Content = () => AsyncIterable<Uint8Array>;

/** The layer that a COPY makes, put together against the tree that it goes on top of. Paths are relative to the root. */
export interface Destination {
  /** `path` with symlinks followed inside the root, the last part too. */
  resolve(path: string): string;
  typeAt(path: string): SourceEntry['type'] | undefined;
  /** Makes `path` and its parents directories where they are missing (mode 755). */
  makeDirectory(path: string): void;
  /** Puts `entry` at `path`, whose parents exist. A directory gives an existing one its mode and owner. */
  put(path: string, entry: SourceEntry, content?: Content): void;
  /** As `put`, for a member of an archive: `--chown` counts for it, `--chmod` does not (BuildKit's `unpack`). */
  putMember(path: string, entry: SourceEntry, content?: Content): void;
  /** Sorted by name, with every parent as the tree has it, so that a layer unpacked by itself hides no mode of theirs. */
  members(): LayerMember[];
}

interface Placed {
  readonly entry: SourceEntry;
  readonly content?: Content | undefined;
}

export function createDestination(tree: MergedTree, options: DestinationOptions): Destination {
  const placed = new Map<string, Placed>();
  const entryAt = (path: string): SourceEntry | undefined =>
    path === '' ? impliedDirectory('') : (placed.get(path)?.entry ?? tree.entries.get(path) ?? impliedAt(path));
  const impliedAt = (path: string) => (tree.children(path).length > 0 ? impliedDirectory(path) : undefined);
  const linkAt = (path: string) => entryAt(path)?.linkTarget;

  const putMember = (path: string, entry: SourceEntry, content?: Content) => {
    const known = entryAt(path)?.type;
    if (entry.type === 'directory' ? known && known !== 'directory' : known === 'directory') {
      throw imageError(
        'image/bad-dockerfile',
        `cannot copy the ${entry.type} ${entry.path} over the ${known} /${path}`,
      );
    }
    placed.set(path, { entry: { ...entry, path, ...options.owner }, content });
  };
  const put = (path: string, entry: SourceEntry, content?: Content) => {
    const { chmod } = options;
    const isLink = entry.type === 'symlink';
    const mode = chmod && !isLink ? chmod(entry.mode, entry.type === 'directory') : entry.mode;
    putMember(path, { ...entry, mode }, content);
  };
  const makeDirectory = (path: string): void => {
    const known = entryAt(path);
    if (known && known.type !== 'directory') {
      throw imageError('image/bad-dockerfile', `expected a directory at /${path} in the image, got a ${known.type}`);
    }
    if (known) return;
    makeDirectory(parentOf(path));
    const made = { ...impliedDirectory(path), mtime: Number.POSITIVE_INFINITY, ...options.owner };
    placed.set(path, { entry: made });
  };
  return {
    put,
    putMember,
    makeDirectory,
    typeAt: (path) => entryAt(path)?.type,
    resolve: (path) => resolveParents([...path.split('/'), '.'], linkAt).replace(/\/?\.$/, ''),
    members() {
      const all = new Map(placed);
      for (const path of placed.keys()) {
        for (let up = parentOf(path); up !== '' && !all.has(up); up = parentOf(up)) {
          all.set(up, { entry: entryAt(up) ?? impliedDirectory(up) });
        }
      }
      const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
      return sorted.map(([path, { entry, content }]) => toMember({ ...entry, path }, content, options.clampSeconds));
    },
  };
}

const parentOf = (path: string) => {
  const parent = posix.dirname(path);
  return parent === '.' ? '' : parent;
};

function toMember(entry: SourceEntry, content: Content | undefined, clampSeconds: number): LayerMember {
  const { path, type, mode, uid, gid, size, linkTarget = '', xattrs } = entry;
  const mtime = Math.min(Math.floor(entry.mtime), clampSeconds);
  const tar: TarEntry = { path, type, mode, uid, gid, mtime, size, linkPath: linkTarget, xattrs: xattrs ?? noXattrs };
  return content ? { entry: tar, body: lazily(content) } : { entry: tar };
}

async function* lazily(content: Content): AsyncGenerator<Uint8Array> {
  yield* content();
}
