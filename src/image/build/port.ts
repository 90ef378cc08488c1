import type { Readable } from 'node:stream';
import type { Digest } from '../../core/ids.ts';
import type { Layer } from '../model.ts';

/**
 * A mount of one RUN: `--mount` of the Dockerfile reference. Host paths, already checked against the context; a `source` is a
 * file or a directory. A missing `target` is made for the command and is gone from `changes`, as is all that a mount holds. What
 * a command writes into a writable bind stays in `source`, which is the caller's to throw away.
 */
export type RunMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly writable: boolean }
  | { readonly type: 'cache'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  | {
      readonly type: 'secret';
      readonly content: Uint8Array;
      readonly target: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** One RUN, worked out. */
export interface RunSpec {
  readonly command: readonly string[];
  /** All of it, but for HOME: where it is missing, the sandbox sets the home directory of the user. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** `user[:group]`, names or numbers, looked up inside the root file system; empty: root. */
  readonly user: string;
  readonly network: boolean;
  readonly mounts: readonly RunMount[];
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/**
 * Where the RUN instructions of a build happen. One root file system per call of `openRoot`; several may be open at once.
 * A crash leaves nothing that the next start does not clear away.
 */
export interface BuildSandbox {
  openRoot(layers: readonly Layer[], signal?: AbortSignal): Promise<BuildRoot>;
}

/** The root file system of one stage while its RUN is done. */
export interface BuildRoot {
  /** Exit code of the command, 127 for one that is not found; the process tree has ended when it resolves, all output given. */
  run(spec: RunSpec, signal?: AbortSignal): Promise<number>;
  /**
   * What changed since `openRoot` as an OCI layer tar, uncompressed: sorted by name, whiteouts as `.wh.` files, no times later
   * than `clampSeconds` (seconds since the epoch).
   */
  changes(clampSeconds: number): Promise<Readable>;
  close(): Promise<void>;
}

/** Keeps the layers that a build makes, by content key, so that the next build finds them. Survives a crash whole or absent. */
export interface LayerCache {
  get(key: Digest): Promise<Layer | undefined>;
  /** Stores an uncompressed layer tar under `key`; its diffId and gzip descriptor are worked out while it is written. */
  put(key: Digest, tar: Readable): Promise<Layer>;
  /** Makes `key` name the layer that `of` names; nothing where `of` names none. */
  alias(key: Digest, of: Digest): Promise<void>;
}
