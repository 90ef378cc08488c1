import { join } from 'node:path';
import type { PortableDataHash } from '../core/ids.ts';
import { checkoutCached } from '../keep/checkout.ts';
import type { Collection } from '../keep/collection.ts';
import type { DiskBlockStore } from '../keep/disk/disk-store.ts';
import { getEntry, subtree } from '../keep/tree.ts';
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
      const entry = getEntry(collection, path);
      if (entry.path === '') return layOut(collection);
      if (collection.files.size <= wholeTreeFiles) return join(await layOut(collection), entry.path);
      if (entry.kind === 'directory') return layOut(subtree(collection, entry.path));
      return join(await layOut(subtree(collection, entry.path)), entry.name);
    },
  };
}
