import type { Layer } from '../model.ts';
import type { TarEntry } from '../tar/entry.ts';
import { decompressLayer } from './decompress.ts';
import { type LayerEntry, readLayerEntries } from './entries.ts';

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
