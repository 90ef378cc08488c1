import type { BlockLocator } from '../core/ids.ts';
import { buildCollection } from './build-collection.ts';
import type { Collection, CollectionFile, FileSegment } from './collection.ts';
import { keepError } from './errors.ts';
import { blockSizeBytes } from './locator.ts';
import { checkPath } from './paths.ts';
import { type BlockStore, type LocalBlockStore, maxBlockBytes, type StoredFile } from './port.ts';

/** One file under way. Calls must not overlap: await each before the next. */
export interface FileWriter {
  /** Bytes at the end of the file. They may be kept until a block is full; the caller must not change them. */
  write(data: Uint8Array): Promise<void>;
  /** What is written next begins a block of its own. */
  startBlock(): Promise<void>;
  /** Adds bytes that the store already holds; nothing is transferred. */
  splice(segments: readonly FileSegment[]): Promise<void>;
  /** Bytes written so far. */
  position(): number;
  close(): Promise<CollectionFile>;
}

/** Makes a collection. Different files may be written at once. Nothing is left behind when it is dropped but blocks. */
export interface CollectionWriter {
  createFile(path: string): FileWriter;
  addBytes(path: string, data: Uint8Array | string): Promise<CollectionFile>;
  addStream(path: string, stream: AsyncIterable<Uint8Array>): Promise<CollectionFile>;
  /** A regular file of this machine. `adopt`: the caller gives the file up, and a local store takes it without copying. */
  addHostFile(path: string, hostPath: string, options?: { readonly adopt?: boolean }): Promise<CollectionFile>;
  /** A file whose bytes the store holds. */
  addSegments(path: string, segments: readonly FileSegment[]): CollectionFile;
  addDirectory(path: string): void;
  finish(): Collection;
}

/** Fails with `keep/bad-path` where two entries collide (at the latest in `finish`) and with the codes of the store. */
export function createCollectionWriter(store: BlockStore): CollectionWriter {
  const files: CollectionFile[] = [];
  const directories: string[] = [];
  const add = (path: string, segments: readonly FileSegment[]): CollectionFile => {
    const file = { path: checkPath(path), sizeBytes: totalBytes(segments), segments };
    files.push(file);
    return file;
  };
  const createFile = (path: string) => createFileWriter(store, (segments) => add(path, segments), checkPath(path));
  const addStream = async (path: string, stream: AsyncIterable<Uint8Array>) => {
    const writer = createFile(path);
    for await (const chunk of stream) await writer.write(chunk);
    return writer.close();
  };
  return {
    createFile,
    addStream,
    addBytes: async (path, data) => {
      const writer = createFile(path);
      await writer.write(typeof data === 'string' ? Buffer.from(data) : data);
      return writer.close();
    },
    addHostFile: async (path, hostPath, options = {}) => {
      checkPath(path);
      if (!isLocal(store)) return addStream(path, await openHostFile(hostPath));
      const stored = await (options.adopt ? store.adoptFile(hostPath) : store.storeFile(hostPath));
      return add(path, toSegments(stored));
    },
    addSegments: add,
    addDirectory: (path) => {
      directories.push(checkPath(path));
    },
    finish: () => buildCollection(files, directories),
  };
}

/** Whether the store can take whole files of this machine. */
function isLocal(store: BlockStore): store is LocalBlockStore {
  return 'adoptFile' in store && 'storeFile' in store && 'wholeFile' in store;
}

/** Every block of a stored file, whole. */
export function toSegments(stored: StoredFile): FileSegment[] {
  return stored.locators.map((locator) => ({ locator, offset: 0, length: blockSizeBytes(locator) }));
}

async function openHostFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  const { createReadStream } = await import('node:fs');
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}

function totalBytes(segments: readonly FileSegment[]): number {
  return segments.reduce((sum, segment) => sum + segment.length, 0);
}

function createFileWriter(
  store: BlockStore,
  add: (segments: readonly FileSegment[]) => CollectionFile,
  path: string,
): FileWriter {
  const segments: FileSegment[] = [];
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let position = 0;
  const flush = async () => {
    if (waitingBytes === 0) return;
    const [only] = waiting;
    const data = waiting.length === 1 && only ? only : Buffer.concat(waiting, waitingBytes);
    waiting.length = 0;
    waitingBytes = 0;
    const locator: BlockLocator = await store.write(data);
    segments.push({ locator, offset: 0, length: data.length });
  };
  return {
    write: async (data) => {
      position += data.length;
      for (let rest = data; rest.length > 0; ) {
        const part = rest.subarray(0, maxBlockBytes - waitingBytes);
        waiting.push(part);
        waitingBytes += part.length;
        rest = rest.subarray(part.length);
        if (waitingBytes === maxBlockBytes) await flush();
      }
    },
    startBlock: flush,
    splice: async (spliced) => {
      await flush();
      for (const segment of spliced) checkSegment(segment, path);
      segments.push(...spliced);
      position += totalBytes(spliced);
    },
    position: () => position,
    close: async () => {
      await flush();
      return add(segments);
    },
  };
}

function checkSegment({ locator, offset, length }: FileSegment, path: string): void {
  if (offset >= 0 && length >= 0 && offset + length <= blockSizeBytes(locator)) return;
  throw keepError(
    'keep/bad-manifest',
    `expected ${offset}+${length} within block ${locator} for ${JSON.stringify(path)}`,
  );
}
