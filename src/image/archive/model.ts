import type { Image, Platform } from '../model.ts';

export interface OpenArchiveOptions {
  /** Which image of several: a reference or an image hash. */
  readonly select?: string;
  /** Of an OCI layout's index; this machine's unless said. */
  readonly platform?: Platform;
  /** For messages: the path or collection the archive is. */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

/** An image and the names its archive gives it, as `repository:tag`. */
export interface ArchivedImage extends Image {
  readonly repoTags: readonly string[];
}
