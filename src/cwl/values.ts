/** A value of a CWL parameter: plain JSON in which Files and Directories are objects with a `class` (CWL v1.2, "Data concepts"). */
export type CwlValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | CwlFile
  | CwlDirectory
  | readonly CwlValue[]
  | CwlRecordValue;
export interface CwlRecordValue {
  readonly [field: string]: CwlValue | undefined;
}

export interface CwlFile {
  readonly class: 'File';
  /** Absolute: `file:`, `http(s):`, `keep:PDH/path`; absent for a literal, which has `contents`. */
  readonly location?: string;
  /** Path that the process sees; only while expressions of that process are evaluated. */
  readonly path?: string;
  readonly basename?: string;
  readonly dirname?: string;
  readonly nameroot?: string;
  readonly nameext?: string;
  readonly checksum?: string;
  readonly size?: number;
  readonly secondaryFiles?: readonly (CwlFile | CwlDirectory)[];
  readonly format?: string;
  readonly contents?: string;
  readonly [extension: string]: unknown;
}

export interface CwlDirectory {
  readonly class: 'Directory';
  readonly location?: string;
  readonly path?: string;
  readonly basename?: string;
  /** Absent: not loaded. Without a `location` this is a literal. */
  readonly listing?: readonly (CwlFile | CwlDirectory)[];
  readonly [extension: string]: unknown;
}

export type CwlObject = { readonly [id: string]: CwlValue };

export const isFile = (value: unknown): value is CwlFile =>
  typeof value === 'object' && value !== null && (value as { class?: unknown }).class === 'File';
export const isDirectory = (value: unknown): value is CwlDirectory =>
  typeof value === 'object' && value !== null && (value as { class?: unknown }).class === 'Directory';
