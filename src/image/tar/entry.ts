export const tarBlockBytes = 512;

export type TarType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** One member of a tar archive, all extension headers applied. Strings as `decodeName` makes them. */
export interface TarEntry {
  /** As the archive spells it: nothing is checked yet. */
  readonly path: string;
  readonly type: TarType;
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch, maybe with a fraction. */
  readonly mtime: number;
  /** Bytes of content as a reader of the file sees them; 0 for all but files. */
  readonly size: number;
  /** Target of a symlink or hardlink, as spelt; empty for others. */
  readonly linkPath: string;
  /** pax `SCHILY.xattr.*`, without the prefix. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

export const noXattrs: ReadonlyMap<string, Buffer> = new Map();

/** Bytes that fill the last block of `size` bytes of content. */
export const tarPadding = (size: number): number => (tarBlockBytes - (size % tarBlockBytes)) % tarBlockBytes;
