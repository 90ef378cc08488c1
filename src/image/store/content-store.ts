import { type FileHandle, open as openFile, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createLimiter, untilAborted } from '../../core/concurrency.ts';
import type { Digest } from '../../core/ids.ts';
import type { Descriptor, Image, Layer } from '../model.ts';
import { transformed, verified } from '../streams.ts';
import { type BlobProvider, providerOf } from './provider.ts';
import { blobPath, type OnBytes, transferBlob } from './transfer.ts';

export interface ContentStoreOptions {
  /** Verified blobs as `blobs/sha256/<hex>`, those under way in `partial/`. Several processes may share it. */
  readonly cacheDir: string;
  /** Asked before the sources that a reader brings along: Keep, say. */
  readonly providers?: readonly BlobProvider[];
  /** Most transfers at once; 4 unless said. */
  readonly concurrency?: number;
}

export interface ReadOptions {
  /** Sources of this reader, with this reader's credentials. */
  readonly from?: readonly BlobProvider[];
  readonly signal?: AbortSignal;
  /** Told of bytes as they come, all at once of a blob that is here, and, as a negative number, of those that have to come again. */
  readonly onBytes?: OnBytes;
}

/**
 * Blobs by digest, fetched once something reads them. Concurrent readers of one blob share one transfer; a cancelled reader stops only
 * itself, and the transfer when it was the last. When a shared transfer fails, each other reader tries with its own sources.
 */
export interface ContentStore {
  has(descriptor: Descriptor): Promise<boolean>;
  /** Path of the blob's file, which nobody may change. Fails with `image/blob-missing`, which names it, where nobody has it. */
  fetch(descriptor: Descriptor, options?: ReadOptions): Promise<string>;
  /** The blob's bytes, verified. */
  open(descriptor: Descriptor, options?: ReadOptions): Promise<Readable>;
  /** The same image, its layers read through this store. Reads nothing by itself. */
  lazy(image: Image, options?: Pick<ReadOptions, 'onBytes'>): Image;
  /** Takes an image's layers away, once something else holds them. Whoever reads one reads on. */
  drop(image: Image): Promise<void>;
}

/** The folder is made with the first transfer. Fails with `image/cache-failed` where it cannot be written. */
export function createContentStore(options: ContentStoreOptions): ContentStore {
  const join = createFlights(options);
  /** Verified by this process: a file from an earlier one is verified again while it is read. */
  const known = new Set<Digest>();

  const store: ContentStore = {
    has: async (descriptor) => (await findCached(options.cacheDir, descriptor)) !== undefined,
    async fetch(descriptor, read = {}) {
      for (let counted = 0; ; ) {
        read.signal?.throwIfAborted();
        const cached = await findCached(options.cacheDir, descriptor);
        if (cached !== undefined) {
          read.onBytes?.(descriptor.size - counted);
          return cached;
        }
        const onBytes = (count: number): void => {
          counted += count;
          read.onBytes?.(count);
        };
        const { isOwn, done } = join(descriptor, { ...read, onBytes });
        try {
          await done;
          known.add(descriptor.digest);
        } catch (error) {
          if (isOwn || read.signal?.aborted) throw error;
          onBytes(-counted);
        }
      }
    },
    async open(descriptor, read = {}) {
      const { path, file } = await openWhole(descriptor, read);
      const bytes = file.createReadStream({ highWaterMark: 256 * 1024 });
      if (known.has(descriptor.digest)) return bytes;
      return transformed(bytes, (source) => verifiedOnce(source, descriptor, path, known), read.signal);
    },
    lazy: (image, read = {}) => ({ ...image, layers: image.layers.map((layer) => lazyLayer(store, layer, read)) }),
    async drop({ layers }) {
      await Promise.all(
        layers.map(({ descriptor }) => rm(blobPath(options.cacheDir, descriptor.digest), { force: true })),
      );
    },
  };

  /** Another process may drop the blob before it is opened here: then it is fetched again. */
  async function openWhole(descriptor: Descriptor, read: ReadOptions): Promise<{ path: string; file: FileHandle }> {
    for (;;) {
      const path = await store.fetch(descriptor, read);
      const file = await openFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      if (file) return { path, file };
      read.onBytes?.(-descriptor.size);
    }
  }
  return store;
}

/** The bytes of a layer are told of once, however often it is opened. */
function lazyLayer(store: ContentStore, layer: Layer, { onBytes }: ReadOptions): Layer {
  const from = [providerOf(layer)];
  const { diffId, descriptor } = layer;
  let untold = onBytes;
  const open = (signal?: AbortSignal): Promise<Readable> => {
    const options = { from, ...(signal && { signal }), ...(untold && { onBytes: untold }) };
    untold = undefined;
    return store.open(descriptor, options);
  };
  return { diffId, descriptor, open };
}

/** A blob of another size than its descriptor says is not that blob, whatever its name. */
async function findCached(cacheDir: string, { digest, size }: Descriptor): Promise<string | undefined> {
  const path = blobPath(cacheDir, digest);
  const stats = await stat(path).catch(() => undefined);
  if (!stats) return undefined;
  if (stats.size === size) return path;
  await rm(path, { force: true });
  return undefined;
}

/** A damaged file is taken away, so that the next reader fetches the blob anew. */
async function* verifiedOnce(source: Readable, descriptor: Descriptor, path: string, known: Set<Digest>) {
  try {
    yield* verified(source, descriptor, `blob ${descriptor.digest} in the layer cache`);
    known.add(descriptor.digest);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

interface Flight {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  readers: number;
}

/** Transfers under way, one for each digest. */
function createFlights(options: ContentStoreOptions) {
  const limited = createLimiter(options.concurrency ?? 4);
  const flights = new Map<Digest, Flight>();

  function start(descriptor: Descriptor, { from = [], onBytes }: ReadOptions): Flight {
    const stop = new AbortController();
    const { signal } = stop;
    const { cacheDir } = options;
    const done = limited(async () => {
      signal.throwIfAborted();
      await transferBlob({
        descriptor,
        providers: [...(options.providers ?? []), ...from],
        partialDir: `${cacheDir}/partial`,
        target: blobPath(cacheDir, descriptor.digest),
        signal,
        ...(onBytes && { onBytes }),
      });
    });
    const flight = { done, stop, readers: 0 };
    flights.set(descriptor.digest, flight);
    const forget = () => {
      if (flights.get(descriptor.digest) === flight) flights.delete(descriptor.digest);
    };
    done.then(forget, forget);
    return flight;
  }

  return (descriptor: Descriptor, read: ReadOptions): { isOwn: boolean; done: Promise<void> } => {
    const known = flights.get(descriptor.digest);
    const flight = known ?? start(descriptor, read);
    flight.readers += 1;
    const leave = () => {
      flight.readers -= 1;
      if (flight.readers > 0) return;
      // Nobody joins a transfer that is being stopped.
      if (flights.get(descriptor.digest) === flight) flights.delete(descriptor.digest);
      flight.stop.abort();
    };
    return { isOwn: !known, done: untilAborted(flight.done, read.signal, leave) };
  };
}
