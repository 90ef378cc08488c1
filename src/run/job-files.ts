import type { ClusterApi } from '../api/port.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { JobFiles } from '../job/files.ts';
import type { Collection } from '../keep/collection.ts';
import { openFile } from '../keep/file-reader.ts';
import type { BlockStore } from '../keep/port.ts';
import { readCollection } from './collections.ts';

/** Collections that stay parsed: steps of one run name the same few again and again. */
const keptCollections = 256;

/** Reads inputs and outputs of jobs from the cluster; the newest collections stay in memory. */
export function createJobFiles(api: ClusterApi, blocks: BlockStore): JobFiles & { add(collection: Collection): void } {
  const opened = new Map<PortableDataHash, Promise<Collection>>();

  function keep(hash: PortableDataHash, collection: Promise<Collection>): void {
    opened.delete(hash);
    opened.set(hash, collection);
    const oldest = opened.keys().next().value;
    if (opened.size > keptCollections && oldest !== undefined) opened.delete(oldest);
  }

  return {
    add: (collection) => keep(collection.portableDataHash, Promise.resolve(collection)),
    openCollection(hash) {
      const collection = opened.get(hash) ?? readCollection(api, hash);
      keep(hash, collection);
      collection.catch(() => opened.delete(hash));
      return collection;
    },
    async readStart(file, limitBytes) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of openFile(blocks, file, { end: Math.min(limitBytes, file.sizeBytes) }))
        chunks.push(chunk as Uint8Array);
      return Buffer.concat(chunks);
    },
  };
}
