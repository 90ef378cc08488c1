import type { BlockLocator, PortableDataHash } from '../core/ids.ts';

/** A run of bytes of one block. */
export interface FileSegment {
  readonly locator: BlockLocator;
  readonly offset: number;
  readonly length: number;
}

/** A file of a collection: a path and the runs of bytes that make it, in order. */
export interface CollectionFile {
  /** Relative to the collection, `/` between the parts, no leading `./`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly segments: readonly FileSegment[];
}

/** The immutable content of a collection: what its manifest says. Made by `parseManifest` and `buildCollection`. */
export interface Collection {
  readonly manifestText: string;
  readonly portableDataHash: PortableDataHash;
  /** By path, in manifest order. */
  readonly files: ReadonlyMap<string, CollectionFile>;
  /** Every directory, the empty ones too (Arvados marks these with an empty file `.`); the root is not in it. */
  readonly directories: ReadonlySet<string>;
}
