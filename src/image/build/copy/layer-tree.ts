import { type MergedTree, mergeViews } from '../../layers/merged-tree.ts';
import { type LayerView, type TreeEntry, viewLayer } from '../../layers/view-layer.ts';
import type { Layer } from '../../model.ts';
import type { Contents, SourceEntry, SourceTree } from './source-tree.ts';
import { createSpool } from './spool.ts';

/** Reads each layer's index once in a build, however many steps look into it. */
export interface LayerTrees {
  merged(layers: readonly Layer[], signal?: AbortSignal): Promise<MergedTree>;
}

export function createLayerTrees(): LayerTrees {
  const views = new Map<string, Promise<LayerView>>();
  const view = (layer: Layer, index: number, signal?: AbortSignal) => {
    const key = `${index} ${layer.diffId}`;
    const known = views.get(key) ?? viewLayer(layer, index, signal);
    views.set(key, known);
    known.catch(() => views.delete(key));
    return known;
  };
  return {
    async merged(layers, signal) {
      return mergeViews(layers, await Promise.all(layers.map((layer, index) => view(layer, index, signal))));
    },
  };
}

/** A stage or an image to copy from. Parents that no layer names are directories of root. */
export function createLayerSource(name: string, tree: MergedTree): SourceTree {
  const unnamed = new Set<string>(['']);
  for (const path of tree.entries.keys()) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash);
      if (!tree.entries.has(parent)) unnamed.add(parent);
    }
  }
  const find = (path: string): SourceEntry | undefined =>
    tree.entries.get(path) ?? (unnamed.has(path) ? impliedDirectory(path) : undefined);
  return {
    name,
    find: async (path) => find(path),
    async children(path) {
      const prefix = path === '' ? '' : `${path}/`;
      const implied = [...unnamed].filter(
        (each) => each !== '' && each.startsWith(prefix) && !each.slice(prefix.length).includes('/'),
      );
      const all = [...tree.children(path), ...implied.map(impliedDirectory)];
      return all.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    openContents: (files, signal) => spool(tree, files as readonly TreeEntry[], signal),
  };
}

export function impliedDirectory(path: string): SourceEntry {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, size: 0, xattrs: new Map() };
}

/** Layers are read front to back, and what is made of them is sorted. */
async function spool(tree: MergedTree, files: readonly TreeEntry[], signal?: AbortSignal): Promise<Contents> {
  const spooled = await createSpool();
  try {
    for await (const { entry, content } of tree.readFiles(files, signal)) await spooled.add(entry.path, content);
  } catch (error) {
    await spooled.close();
    throw error;
  }
  return { read: (file) => spooled.read(file.path), close: spooled.close };
}
