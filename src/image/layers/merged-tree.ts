import type { Readable } from 'node:stream';
import { mapLimited } from '../../core/concurrency.ts';
import type { Layer } from '../model.ts';
import { readableFrom } from '../streams.ts';
import { resolvePath } from './paths.ts';
import { type FileContent, readFiles } from './read-files.ts';
import { squash } from './squash.ts';
import { type LayerView, type TreeEntry, viewLayer } from './view-layer.ts';

/** The file tree of an image: what its layers come to, and each of them by itself. */
export interface MergedTree {
  /** The squashed image: path to entry, whiteouts applied. Parents that no layer names are not in it. */
  readonly entries: ReadonlyMap<string, TreeEntry>;
  /** Base first. A package that a later layer hid is still seen here. */
  readonly layers: readonly LayerView[];
  /** The entry at `path` with symlinks followed inside the root, the last part too. */
  lookUp(path: string): TreeEntry | undefined;
  /** Direct children of a directory, by name. */
  children(path: string): readonly TreeEntry[];
  /** One file's content. Reads its layer up to it; for many files take `readFiles`. */
  readFile(entry: TreeEntry, signal?: AbortSignal): Readable;
  /** The content of many files, each layer read once. Read or leave each stream before asking for the next. */
  readFiles(entries: Iterable<TreeEntry>, signal?: AbortSignal): AsyncGenerator<FileContent>;
}

/** Reads every layer once (two at a time) and keeps the index, not the content. */
export async function mergedTree(layers: readonly Layer[], signal?: AbortSignal): Promise<MergedTree> {
  const views = await mapLimited(layers, 2, (layer, index) => viewLayer(layer, index, signal));
  return mergeViews(layers, views);
}

/** The tree of layers that have been read: `views[i]` is what `viewLayer(layers[i], i)` gave. */
export function mergeViews(layers: readonly Layer[], views: readonly LayerView[]): MergedTree {
  const entries = squash(views);
  const children = indexChildren(entries);
  const tree: MergedTree = {
    entries,
    layers: views,
    lookUp: (path) => lookUp(entries, path),
    children: (path) => children.get(path) ?? [],
    readFile: (entry, signal) =>
      readableFrom(async function* (stop) {
        for await (const found of tree.readFiles([entry], stop)) yield* found.content;
      }, signal),
    readFiles: (wanted, signal) => readFiles(layers, wanted, signal),
  };
  return tree;
}

function indexChildren(entries: ReadonlyMap<string, TreeEntry>): Map<string, TreeEntry[]> {
  const children = new Map<string, TreeEntry[]>();
  for (const entry of entries.values()) {
    if (entry.path === '') continue;
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')));
    const siblings = children.get(parent);
    if (siblings) siblings.push(entry);
    else children.set(parent, [entry]);
  }
  for (const siblings of children.values()) siblings.sort((a, b) => (a.path < b.path ? -1 : 1));
  return children;
}

/** As in a chroot: `..` above the root stays at the root. */
function lookUp(entries: ReadonlyMap<string, TreeEntry>, path: string): TreeEntry | undefined {
  return entries.get(resolvePath(path.split('/'), (at) => entries.get(at)?.linkTarget));
}
