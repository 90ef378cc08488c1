import { hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { BlockLocator } from '../../core/ids.ts';
import { toStoreError } from '../block-errors.ts';
import { blockMd5, blockSizeBytes, stripHints } from '../locator.ts';
import { createMemoryBlockStore } from '../memory-store.ts';
import { type LocalBlockStore, maxBlockBytes, type StoredFile } from '../port.ts';
import { hasBlock, readStored } from './blocks.ts';
import { hashFile } from './hash-file.ts';
import { toLayout } from './layout.ts';
import { sizeOfFile } from './place.ts';

interface Range {
  readonly path: string;
  readonly offset: number;
}

/**
 * A block store that stores nothing: what is written stays in memory, files are hashed and stay where they are, and all else is
 * read from the block store in `directory`, which need not exist. For finding out what would be done.
 */
export function createScratchBlockStore(directory: string): LocalBlockStore {
  const layout = toLayout(directory);
  // What is only looked at is not claimed.
  const looking = { layout, claim: async (path: string) => sizeOfFile(path) !== undefined };
  const memory = createMemoryBlockStore();
  const ranges = new Map<string, Range>();

  async function nameBlocks(path: string): Promise<StoredFile> {
    try {
      await using file = await open(path, 'r');
      const locators = await hashFile(file);
      for (const [index, locator] of locators.entries())
        ranges.set(stripHints(locator), { path, offset: index * maxBlockBytes });
      return { locators, sizeBytes: locators.reduce((sum, locator) => sum + blockSizeBytes(locator), 0) };
    } catch (error) {
      throw toStoreError(error, 'read a file', path);
    }
  }

  return {
    async read(locator, signal) {
      if (await memory.has(locator)) return memory.read(locator, signal);
      const range = ranges.get(stripHints(locator));
      return (range && (await readRange(range, locator))) ?? readStored({ layout }, locator, signal);
    },
    write: (data) => memory.write(data),
    has: async (locator) =>
      (await memory.has(locator)) || ranges.has(stripHints(locator)) || hasBlock(looking, locator),
    storeFile: nameBlocks,
    adoptFile: nameBlocks,
    wholeFile: async () => undefined,
  };
}

/** Undefined when the file has changed since it was hashed. */
async function readRange({ path, offset }: Range, locator: BlockLocator): Promise<Uint8Array | undefined> {
  await using file = await open(path, 'r');
  const data = Buffer.allocUnsafe(blockSizeBytes(locator));
  const { bytesRead } = await file.read(data, 0, data.length, offset);
  return bytesRead === data.length && hash('md5', data, 'hex') === blockMd5(locator) ? data : undefined;
}
