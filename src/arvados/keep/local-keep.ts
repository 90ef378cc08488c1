import { createSingleFlight, mapLimited } from '../../core/concurrency.ts';
import { toMessage } from '../../core/errors.ts';
import type { BlockLocator } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { DiskBlockStore } from '../../keep/disk/disk-store.ts';
import { stripHints } from '../../keep/locator.ts';
import type { BlockStore, StoredFile } from '../../keep/port.ts';
import type { Signatures } from './signatures.ts';

export interface LocalKeepOptions {
  /** Of this machine: holds what was written and read before. */
  readonly disk: DiskBlockStore;
  readonly remote: BlockStore;
  /** What the cluster has signed in this process is not sent again. */
  readonly signatures: Signatures;
  readonly logger: Logger;
}

/** Files of many blocks are sent this many blocks at a time. */
const blocksAtOnce = 2;

/**
 * A cluster's Keep with a disk in front: what is written goes to both and is acknowledged by the cluster, what is read comes from the
 * disk where it lies there. A file is hashed and kept on the disk as the embedded cluster keeps it, then sent.
 */
export function createLocalKeep({ disk, remote, signatures, logger }: LocalKeepOptions): DiskBlockStore {
  const flight = createSingleFlight<BlockLocator>();
  let isDiskUsable = true;

  const send = async (locator: BlockLocator, data?: Uint8Array): Promise<BlockLocator> => {
    const name = stripHints(locator);
    return signatures.find(name) ?? flight(name, async () => remote.write(data ?? (await disk.read(name))));
  };
  const sendAll = async ({ locators, sizeBytes }: StoredFile, signal?: AbortSignal): Promise<StoredFile> => ({
    locators: await mapLimited(locators, blocksAtOnce, (locator) => {
      signal?.throwIfAborted();
      return send(locator);
    }),
    sizeBytes,
  });
  /** A disk that is full slows down, no more. */
  const keepOnDisk = async (data: Uint8Array): Promise<void> => {
    if (!isDiskUsable) return;
    await disk.write(data).catch((error: unknown) => {
      isDiskUsable = false;
      logger.warn(`blocks of the cluster are not kept on this machine: ${toMessage(error)}`);
    });
  };
  return {
    ...disk,
    async read(locator, signal) {
      signal?.throwIfAborted();
      // What is damaged on the disk may be whole on the cluster.
      if (await disk.has(locator)) return disk.read(locator, signal).catch(() => remote.read(locator, signal));
      const data = await remote.read(locator, signal);
      await keepOnDisk(data);
      return data;
    },
    async write(data) {
      const locator = await disk.write(data);
      return send(locator, data);
    },
    has: async (locator) => signatures.find(locator) !== undefined || remote.has(locator),
    adoptFile: async (path, signal) => sendAll(await disk.adoptFile(path, signal), signal),
    storeFile: async (path, signal) => sendAll(await disk.storeFile(path, signal), signal),
  };
}
