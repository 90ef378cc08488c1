import type { Collection, FileSegment } from '../../keep/collection.ts';

/** What was found in an output directory, before any of it is in Keep. */
export type OutputNode = OutputDirectory | OutputFile | OutputSymlink | MountedContent | LiteralContent;

export interface OutputDirectory {
  readonly kind: 'directory';
  /** Device and inode: what is read later must still be this directory. */
  readonly id: string;
  /** The name on disk, where it is not UTF-8. */
  readonly rawName?: Buffer;
  readonly entries: Map<string, OutputNode>;
}

export interface OutputFile {
  readonly kind: 'file';
  readonly sizeBytes: number;
  /** Where its bytes are once they are in Keep. */
  segments: readonly FileSegment[];
  /** Device and inode of a file with more than one name: the others may lie anywhere, so it cannot be given up. */
  readonly sharedId?: string;
  /** The name on disk, where it is not UTF-8. */
  readonly rawName?: Buffer;
}

export interface OutputSymlink {
  readonly kind: 'symlink';
  readonly target: string;
}

/** `path` in a collection: already in Keep. */
export interface MountedContent {
  readonly kind: 'mounted';
  readonly collection: Collection;
  readonly path: string;
}

/** A text or json mount: its file on the host. */
export interface LiteralContent {
  readonly kind: 'literal';
  readonly hostPath: string;
}
