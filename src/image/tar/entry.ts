export type TarEntryType = 'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';

/** One member of a tar archive: POSIX.1-2001 pax, with what OCI image-spec 1.1 "Image Layer Filesystem Changeset" needs of it. */
export interface TarEntry {
  /** As the archive spells it, without a trailing slash. */
  readonly name: string;
  readonly type: TarEntryType;
  /** Permission bits only, 0–07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the content; 0 for all but files. */
  readonly size: number;
  readonly mtimeSeconds: number;
  /** Target of a symlink, or the name of the entry that a hard link repeats. */
  readonly linkName?: string;
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes by name (`security.capability`), values as latin-1 text of their bytes. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

export const typeFlags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

export const blockBytes = 512;
/** Where pax keeps extended attributes, as GNU tar, Go and star write them. */
export const xattrPrefix = 'SCHILY.xattr.';
