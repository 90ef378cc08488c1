/** What the threads that hash one file share. File descriptors belong to the whole process. */
export interface HashJob {
  readonly fd: number;
  /** Where each byte read is written as well, at the same position. */
  readonly copyTo?: number;
  readonly sizeBytes: number;
  /** One counter: blocks taken so far. */
  readonly claimed: Int32Array;
  /** `digestBytes` for each block. */
  readonly digests: Uint8Array;
}

export const digestBytes = 16;

/** The number of a block that no other thread has. */
export function claimNext(claimed: Int32Array): number {
  return Atomics.add(claimed, 0, 1);
}
