import type { LayerView, TreeEntry } from './view-layer.ts';

/** Applies the layers in order. What a layer takes away, or replaces by something other than a directory, goes with all below it. */
export function squash(views: readonly LayerView[]): Map<string, TreeEntry> {
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
