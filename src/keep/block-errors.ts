import type { HallmarkError } from '../core/errors.ts';
import { toMessage } from '../core/errors.ts';
import type { BlockLocator } from '../core/ids.ts';
import { type KeepErrorCode, keepError } from './errors.ts';
import { maxBlockBytes } from './port.ts';

/** `keep/block-missing`. `where`: the file or service that was to hold it. */
export function missingError(locator: BlockLocator, where?: string): HallmarkError<KeepErrorCode> {
  return keepError('keep/block-missing', `the store does not hold block ${locator}`, {
    hint: 'run what made it again, or copy the collection from where it is whole',
    ...(where === undefined ? {} : { where: { file: where } }),
  });
}

/** `keep/block-damaged`. `found`: the locator of the bytes that are there, or what is wrong with them. */
export function damagedError(locator: BlockLocator, found: string, file?: string): HallmarkError<KeepErrorCode> {
  return keepError('keep/block-damaged', `block is damaged: expected ${locator}, got ${found}`, {
    hint: 'its bytes have changed on the disk; check the disk, then run what made it again',
    ...(file === undefined ? {} : { where: { file } }),
  });
}

/** `keep/block-too-large`. */
export function tooLargeError(sizeBytes: number): HallmarkError<KeepErrorCode> {
  return keepError('keep/block-too-large', `expected a block of at most ${maxBlockBytes} bytes, got ${sizeBytes}`);
}

const noSpace = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** An error of the file system in the words of this room. */
export function toStoreError(error: unknown, doing: string, path: string): unknown {
  const code = errorCode(error);
  if (code === undefined) return error;
  if (noSpace.has(code)) {
    return keepError('keep/no-space', `no space left to ${doing}`, {
      hint: 'free some space there, or set HALLMARK_HOME to a larger disk',
      where: { file: path },
      cause: error,
      retryable: true,
    });
  }
  return keepError('keep/store-failed', `cannot ${doing}: ${toMessage(error)}`, {
    where: { file: path },
    cause: error,
  });
}

/** What `task` gives; undefined where what it asks for is not there. */
export function unlessGone<T>(task: () => T, codes: readonly string[] = ['ENOENT']): T | undefined {
  try {
    return task();
  } catch (error) {
    if (codes.includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** As `unlessGone`, of what takes its time. */
export async function unlessGoneLater<T>(task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** `ENOENT` and its like, of an error of Node's file system calls. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
