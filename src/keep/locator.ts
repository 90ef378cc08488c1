import { createHash, hash } from 'node:crypto';
import type { BlockLocator } from '../core/ids.ts';

/** The locator of no bytes at all, which a stream of only empty files names. */
export const emptyBlockLocator = 'd41d8cd98f00b204e9800998ecf8427e+0' as BlockLocator;

/** The locator of these bytes, without hints. */
export function toLocator(data: Uint8Array): BlockLocator {
  return fromMd5(hash('md5', data, 'hex'), data.length);
}

/** `md5`: 32 lower-case hex digits. */
export function fromMd5(md5: string, sizeBytes: number): BlockLocator {
  return `${md5}+${sizeBytes}` as BlockLocator;
}

export function blockMd5(locator: BlockLocator): string {
  return locator.slice(0, 32);
}

export function blockSizeBytes(locator: BlockLocator): number {
  return Number.parseInt(locator.slice(33), 10);
}

/** `md5+size`, with signatures and other hints removed. */
export function stripHints(locator: BlockLocator): BlockLocator {
  const hints = locator.indexOf('+', 33);
  return hints < 0 ? locator : (locator.slice(0, hints) as BlockLocator);
}

export const createMd5 = () => createHash('md5');
