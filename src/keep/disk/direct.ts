import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { availableMemory } from 'node:process';
import { errorCode } from '../block-errors.ts';
import { blockMode } from './place.ts';

/**
 * Whether a copy of so many bytes is better written to the disk at once: the kernel collects what is written in memory, but beyond a
 * tenth of what is free (vm.dirty_background_ratio) the writer waits for the disk anyway, and other files have lost their place there.
 */
export const isTooLargeForCache = (sizeBytes: number): boolean => sizeBytes > availableMemory() / 10;

/** The new file once more, for direct writes; undefined where its file system has none. */
export async function openDirect(file: FileHandle): Promise<FileHandle | undefined> {
  await file.chmod(0o700);
  try {
    return await open(`/proc/self/fd/${file.fd}`, constants.O_WRONLY | constants.O_DIRECT);
  } catch (error) {
    if (['EINVAL', 'ENOENT', 'EACCES', 'EOPNOTSUPP'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  } finally {
    await file.chmod(blockMode);
  }
}
