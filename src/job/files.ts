import type { PortableDataHash } from '../core/ids.ts';
import type { Collection, CollectionFile } from '../keep/collection.ts';

/** What the job room reads: collections that inputs name and bytes of files. Calls may run concurrently. */
export interface JobFiles {
  /** Fails with a code of `keep/` when there is none. Asked often for the same one: the implementation caches. */
  openCollection(portableDataHash: PortableDataHash): Promise<Collection>;
  /** The first `limitBytes` of the file, or all of it. */
  readStart(file: CollectionFile, limitBytes: number): Promise<Uint8Array>;
}
