import type { BlockLocator } from '../core/ids.ts';

/** The most bytes that one block holds. */
export const maxBlockBytes = 64 * 1024 * 1024;

/**
 * Content-addressed blocks. Every method may be called concurrently, also from several processes.
 * A crash leaves a block whole or absent, never in part.
 */
export interface BlockStore {
  /** The block's bytes, checked against the locator's md5 and size. Fails with `keep/block-missing` or `keep/block-damaged`. */
  read(locator: BlockLocator, signal?: AbortSignal): Promise<Uint8Array>;
  /** Idempotent. Once it resolves the block survives a crash of this process. At most `maxBlockBytes`. */
  write(data: Uint8Array): Promise<BlockLocator>;
  has(locator: BlockLocator): Promise<boolean>;
}

/** A block store on this machine's disk, which can take and give whole files without moving their bytes. */
export interface LocalBlockStore extends BlockStore {
  /**
   * Takes the regular file at `path` (64 MiB a block, in order) and removes or replaces it: where the file system allows,
   * by renaming, so that no byte is copied. The caller gives the file up: nobody else may write to it any more. After an abort
   * it lies where it was.
   */
  adoptFile(path: string, signal?: AbortSignal): Promise<StoredFile>;
  /**
   * Stores the content of a file that stays the user's own: read once, copied (reflinked where possible), never moved.
   * A symbolic link is refused, here and in `adoptFile`: for a file of the user, resolve its path first.
   */
  storeFile(path: string, signal?: AbortSignal): Promise<StoredFile>;
  /** Path of a read-only file whose bytes are exactly these blocks in order, if there is one on disk already. */
  wholeFile(locators: readonly BlockLocator[]): Promise<string | undefined>;
}

/** The blocks of one file, in order: all but the last hold `maxBlockBytes`. */
export interface StoredFile {
  readonly locators: readonly BlockLocator[];
  readonly sizeBytes: number;
}
