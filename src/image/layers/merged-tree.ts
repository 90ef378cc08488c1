import { Readable } from 'node:stream';
import { mapLimited } from '../../core/concurrency.ts';
import { imageError } from '../errors.ts';
import type { Layer } from '../model.ts';
import { readableFrom } from '../streams.ts';
import type { TarEntry } from '../tar/entry.ts';
import { decompressLayer } from './decompress.ts';
import { type LayerEntry, readLayerEntries } from './entries.ts';
import { resolvePath } from './paths.ts';

/** A file, directory, symlink or FIFO of a tree. A hard link is a file of its own here: `contentOrdinal` says whose bytes it has. */
export interface TreeEntry extends Omit<TarEntry, 'linkPath' | 'type'> {
  /** Relative to the root, normal; the root itself is ''. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo';
  /** Target of a symlink as spelt. */
  readonly linkTarget?: string;
  /** Index of the layer that it comes from. */
  readonly layer: number;
  /** Number of the layer's entry that holds the content; equal for hard links of one file. */
  readonly contentOrdinal: number;
}

/** What one layer says by itself: what it adds, and what it takes away from those below. */
export interface LayerView {
  readonly entries: ReadonlyMap<string, TreeEntry>;
  readonly whiteouts: ReadonlySet<string>;
  readonly opaque: ReadonlySet<string>;
}

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
  readFiles(
    entries: Iterable<TreeEntry>,
    signal?: AbortSignal,
  ): AsyncGenerator<{ entry: TreeEntry; content: Readable }>;
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

/** Reads one layer's index. */
export async function viewLayer(layer: Layer, index: number, signal?: AbortSignal): Promise<LayerView> {
  const view = { entries: new Map<string, TreeEntry>(), whiteouts: new Set<string>(), opaque: new Set<string>() };
  const tar = await decompressLayer(layer, signal ? { signal } : {});
  let ordinal = 0;
  for await (const entry of readLayerEntries(tar)) addToView(view, entry, index, ordinal++);
  return view;
}

type WritableView = { entries: Map<string, TreeEntry>; whiteouts: Set<string>; opaque: Set<string> };

function addToView(view: WritableView, entry: LayerEntry, layer: number, ordinal: number): void {
  if (entry.kind === 'whiteout') view.whiteouts.add(entry.path);
  else if (entry.kind === 'opaque') view.opaque.add(entry.path);
  else view.entries.set(entry.path, toTreeEntry(view, entry, layer, ordinal));
}

function toTreeEntry(
  view: WritableView,
  entry: LayerEntry & { kind: 'entry' },
  layer: number,
  ordinal: number,
): TreeEntry {
  const { path, type, mode, uid, gid, mtime, size, xattrs, linkPath } = entry;
  if (type === 'hardlink') {
    const target = view.entries.get(linkPath);
    if (target) return { ...target, path };
  }
  const kept = type === 'symlink' || type === 'directory' || type === 'fifo' ? type : 'file';
  return {
    ...{ path, type: kept, mode, uid, gid, mtime, size, xattrs, layer, contentOrdinal: ordinal },
    ...(type === 'symlink' && { linkTarget: linkPath }),
  };
}

/** Applies the layers in order. What a layer takes away, or replaces by something other than a directory, goes with all below it. */
function squash(views: readonly LayerView[]): Map<string, TreeEntry> {
  const tree = new Map<string, TreeEntry>();
  const parents = new Set<string>();
  for (const view of views) {
    const gone = new Set(view.whiteouts);
    for (const [path, entry] of view.entries) {
      const known = tree.get(path);
      const wasDirectory = known ? known.type === 'directory' : parents.has(path);
      if (wasDirectory && entry.type !== 'directory') gone.add(path);
    }
    if (gone.size > 0 || view.opaque.size > 0) removeHidden(tree, gone, view.opaque);
    const own = new Set<string>();
    for (const [path, entry] of view.entries) {
      tree.set(path, entry);
      addParents(path, own, tree);
    }
    for (const parent of own) parents.add(parent);
  }
  return tree;
}

/** A parent that the layer does not name is a directory all the same: it hides a lower file or symlink, as in overlayfs. */
function addParents(path: string, own: Set<string>, tree: Map<string, TreeEntry>): void {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const parent = path.slice(0, slash);
    if (own.has(parent)) return;
    own.add(parent);
    const known = tree.get(parent);
    if (known && known.type !== 'directory') tree.delete(parent);
  }
}

function removeHidden(tree: Map<string, TreeEntry>, gone: ReadonlySet<string>, opaque: ReadonlySet<string>): void {
  for (const path of tree.keys()) {
    if (gone.has(path) || (opaque.has('') && path !== '')) {
      tree.delete(path);
      continue;
    }
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash);
      if (!gone.has(parent) && !opaque.has(parent)) continue;
      tree.delete(path);
      break;
    }
  }
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

async function* readFiles(layers: readonly Layer[], wanted: Iterable<TreeEntry>, signal?: AbortSignal) {
  const byLayer = Map.groupBy(wanted, (entry) => entry.layer);
  for (const [index, entries] of [...byLayer].sort(([a], [b]) => a - b)) {
    const layer = layers[index];
    if (!layer) throw imageError('image/blob-missing', `layer ${index}: the image has only ${layers.length}`);
    yield* readLayerFiles(layer, entries, signal);
  }
}

async function* readLayerFiles(layer: Layer, entries: readonly TreeEntry[], signal?: AbortSignal) {
  const wanted = Map.groupBy(entries, (entry) => entry.contentOrdinal);
  const tar = await decompressLayer(layer, signal ? { signal } : {});
  let ordinal = -1;
  try {
    for await (const found of readLayerEntries(tar)) {
      ordinal += 1;
      const [first, ...links] = wanted.get(ordinal) ?? [];
      if (!first || found.kind !== 'entry') continue;
      wanted.delete(ordinal);
      yield* shareContent(found.content(), [first, ...links]);
      if (wanted.size === 0) return;
    }
  } finally {
    tar.destroy();
  }
}

/** Hard links of one file: the first reads the layer, the others a copy of it, which is held in memory only where there are others. */
async function* shareContent(content: AsyncGenerator<Buffer>, entries: readonly TreeEntry[]) {
  if (entries.length === 1 && entries[0]) {
    const stream = Readable.from(content, { objectMode: false });
    yield { entry: entries[0], content: stream };
    stream.destroy();
    // Waits for a read under way, which would otherwise race with the walk over the archive.
    await content.return(undefined);
    return;
  }
  const chunks = await Array.fromAsync(content);
  for (const entry of entries) yield { entry, content: Readable.from(chunks, { objectMode: false }) };
}
