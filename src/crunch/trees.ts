import { join } from 'node:path';
import type { PortableDataHash } from '../core/ids.ts';
import { checkoutCached } from '../keep/checkout.ts';
import type { Collection } from '../keep/collection.ts';
import type { DiskBlockStore } from '../keep/disk/disk-store.ts';
import { getEntry, subtree } from '../keep/tree.ts';
import { setChangesAside } from '../keep/tree-changes.ts';
import type { TreeCache } from './port.ts';

/** A larger collection is laid out only in the part that is asked for. */
const wholeTreeFiles = 256;

/** Trees of collections below the block store, each laid out once. */
export function createTreeCache(store: DiskBlockStore): TreeCache {
  const trees = new Map<PortableDataHash, Promise<string>>();
  const layOut = (collection: Collection): Promise<string> => {
    const known = trees.get(collection.portableDataHash);
    if (known) return known;
    const tree = checkoutCached(store, collection);
    trees.set(collection.portableDataHash, tree);
    tree.catch(() => trees.delete(collection.portableDataHash));
    return tree;
  };
  return {
    async checkout(collection, path) {
      const { whole, rest } = treeFor(collection, path);
      return join(await layOut(whole), rest);
    },
    async setChangesAside(collection, path, sinceMs) {
      const { whole } = treeFor(collection, path);
      const changes = await setChangesAside(store, whole, await layOut(whole), sinceMs);
      if (changes.length > 0) trees.clear();
      return changes;
    },
  };
}

/** The collection that is laid out for `path`, and where in it that is. */
function treeFor(collection: Collection, path: string): { readonly whole: Collection; readonly rest: string } {
  const entry = getEntry(collection, path);
  if (entry.path === '') return { whole: collection, rest: '' };
  if (collection.files.size <= wholeTreeFiles) return { whole: collection, rest: entry.path };
  return { whole: subtree(collection, entry.path), rest: entry.kind === 'directory' ? '' : entry.name };
}
