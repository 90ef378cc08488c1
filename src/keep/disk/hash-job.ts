/** What the threads that hash one file share. File descriptors belong to the whole process. */
export interface HashJob {
  readonly fd: number;
  /** Where each byte read is written as well, at the same position. */
  readonly copyTo?: number;
  /** The same file, opened for direct writes: they go to the disk and leave no trace in memory. */
  readonly copyDirectlyTo?: number;
  readonly sizeBytes: number;
  /** One counter: blocks taken so far. */
  readonly claimed: Int32Array;
  /** `digestBytes` for each block. */
  readonly digests: Uint8Array;
}

export const digestBytes = 16;

/** What open(2) asks of offsets, lengths and addresses of direct writes; devices ask for this or less. */
export const directUnitBytes = 4096;

/** The number of a block that no other thread has. */
export function claimNext(claimed: Int32Array): number {
  return Atomics.add(claimed, 0, 1);
}
