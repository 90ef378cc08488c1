import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../../../core/ids.ts';
import { isJsonObject, toCanonicalJson } from '../../../core/json.ts';
import type { Layer } from '../../model.ts';
import { readableFrom, verified } from '../../streams.ts';
import type { LayerCache } from '../port.ts';
import { type PackedLayer, packLayer } from './pack.ts';

export interface PruneOptions {
  /** Most bytes of blobs to keep; the keys that were not asked for the longest go first. */
  readonly maxBytes: number;
  /** Nothing younger than this is removed: another process may be about to name it. */
  readonly graceMs?: number;
  readonly nowMs?: number;
}

export interface DiskLayerCache extends LayerCache {
  /** Removes old keys, the blobs that no key names, and what crashed writers left. Gives the bytes that were freed. */
  prune(options: PruneOptions): Promise<number>;
}

/**
 * Layers in a directory: `blobs/<hex>` the gzipped layers by their digest, `keys/<hex>` small files that name one. Each file is
 * written aside, synced and renamed, the blob before its key: a key that can be read names a whole blob. Several processes may
 * use one directory at once. A blob whose bytes turn out damaged is removed, so that the next build makes it again.
 */
export function createDiskLayerCache(dir: string): DiskLayerCache {
  const keyPath = (key: Digest) => join(dir, 'keys', key.slice(7));
  const blobPath = (digest: Digest) => join(dir, 'blobs', digest.slice(7));
  let ready: Promise<unknown> | undefined;
  const prepare = () => {
    ready ??= Promise.all(['keys', 'blobs', 'tmp'].map((name) => mkdir(join(dir, name), { recursive: true })));
    return ready;
  };

  const get = async (key: Digest): Promise<Layer | undefined> => {
    const packed = await readKey(keyPath(key));
    if (!packed) return undefined;
    const blob = await stat(blobPath(packed.descriptor.digest)).catch(ignoreMissing);
    if (blob?.size !== packed.descriptor.size) return undefined;
    const now = new Date();
    await utimes(keyPath(key), now, now).catch(ignoreMissing);
    return toLayer(packed, blobPath(packed.descriptor.digest));
  };

  const put = async (key: Digest, tar: AsyncIterable<Uint8Array>): Promise<Layer> => {
    await prepare();
    const part = join(dir, 'tmp', randomUUID());
    const file = await open(part, 'wx');
    let packed: PackedLayer;
    try {
      packed = await packLayer(tar, async (chunk) => void (await file.write(chunk)));
      await file.sync();
      await file.close();
      await rename(part, blobPath(packed.descriptor.digest));
    } catch (error) {
      await file.close().catch(() => {});
      await rm(part, { force: true });
      throw error;
    }
    await writeAside(join(dir, 'tmp', randomUUID()), keyPath(key), toCanonicalJson(packed));
    return toLayer(packed, blobPath(packed.descriptor.digest));
  };

  const alias = async (key: Digest, of: Digest): Promise<void> => {
    await prepare();
    const part = join(dir, 'tmp', randomUUID());
    const linked = await link(keyPath(of), part).then(() => true, ignoreMissing);
    if (linked) await rename(part, keyPath(key)).finally(() => rm(part, { force: true }));
  };

  return { get, put, alias, prune: (options) => prune(dir, options) };
}

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
};

async function writeAside(part: string, path: string, text: string): Promise<void> {
  const file = await open(part, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}

async function readKey(path: string): Promise<PackedLayer | undefined> {
  const text = await readFile(path, 'utf8').catch(ignoreMissing);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isPackedLayer(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPackedLayer(value: unknown): value is PackedLayer {
  if (!isJsonObject(value) || !isJsonObject(value.descriptor)) return false;
  const { mediaType, digest, size } = value.descriptor;
  const isNamed =
    typeof value.diffId === 'string' && isDigest(value.diffId) && typeof digest === 'string' && isDigest(digest);
  return isNamed && typeof mediaType === 'string' && typeof size === 'number';
}

function toLayer(packed: PackedLayer, path: string): Layer {
  const { digest } = packed.descriptor;
  return {
    ...packed,
    open: async (signal) =>
      readableFrom(async function* () {
        try {
          yield* verified(
            createReadStream(path, { highWaterMark: 256 * 1024 }),
            packed.descriptor,
            `cached layer ${digest}`,
          );
        } catch (error) {
          await rm(path, { force: true });
          throw error;
        }
      }, signal),
  };
}

const defaultGraceMs = 10 * 60 * 1000;

async function prune(
  dir: string,
  { maxBytes, graceMs = defaultGraceMs, nowMs = Date.now() }: PruneOptions,
): Promise<number> {
  const isOld = (file: Listed) => file.mtimeMs <= nowMs - graceMs;
  const keys = (await list(join(dir, 'keys'))).sort((a, b) => b.mtimeMs - a.mtimeMs);
  const blobs = new Map((await list(join(dir, 'blobs'))).map((blob) => [blob.name, blob]));
  const kept = new Set<string>();
  let keptBytes = 0;
  for (const key of keys) {
    const hex = (await readKey(key.path))?.descriptor.digest.slice(7) ?? '';
    const size = kept.has(hex) ? 0 : (blobs.get(hex)?.size ?? 0);
    if (isOld(key) && (keptBytes + size > maxBytes || !blobs.has(hex))) await rm(key.path, { force: true });
    else {
      kept.add(hex);
      keptBytes += size;
    }
  }
  let freed = 0;
  for (const file of [...blobs.values(), ...(await list(join(dir, 'tmp')))]) {
    if (kept.has(file.name) || !isOld(file)) continue;
    await rm(file.path, { force: true });
    freed += file.size;
  }
  return freed;
}

interface Listed {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

async function list(dir: string): Promise<Listed[]> {
  const names = (await readdir(dir).catch(ignoreMissing)) ?? [];
  const files = names.map(async (name) => {
    const found = await stat(join(dir, name)).catch(ignoreMissing);
    return found ? [{ name, path: join(dir, name), size: found.size, mtimeMs: found.mtimeMs }] : [];
  });
  return (await Promise.all(files)).flat();
}
