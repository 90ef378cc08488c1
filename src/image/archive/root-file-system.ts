import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { toMessage } from '../../core/errors.ts';
import { type Digest, toDigest } from '../../core/ids.ts';
import { imageError } from '../errors.ts';
import { unpack } from '../layers/decompress.ts';
import { makeImage } from '../make-image.ts';
import { layerMediaType, sniffCompression } from '../media-types.ts';
import type { Image } from '../model.ts';
import { hostPlatform } from '../platform.ts';
import { readTar } from '../tar/read.ts';
import { type RandomAccess, streamSource } from '../tar/source.ts';
import { openFileLayer } from './layers.ts';

/** What `docker run` gives an image that says nothing. */
const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The image of one layer that `docker import` makes of a root file system: a tar, plain or packed with gzip or zstd. Its config
 * says nothing of when it was made, so that equal files are one image. The file is read once, to its end.
 */
export async function openRootFileSystem(file: RandomAccess, name: string, signal?: AbortSignal): Promise<Image> {
  const { mediaType, digest, diffId } = await readFileSystem(file, name, signal);
  const { architecture, variant } = hostPlatform();
  const config = {
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os: 'linux',
    config: { Env: [defaultPath] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created_by: 'docker import' }],
  };
  const open = async (stop?: AbortSignal, offset = 0) => file.openRange(offset, file.sizeBytes, stop);
  return makeImage(Buffer.from(JSON.stringify(config)), [{ mediaType, digest, size: file.sizeBytes }], name, (layer) =>
    openFileLayer({ path: name, sizeBytes: file.sizeBytes, open }, layer),
  );
}

interface FoundFileSystem {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly diffId: Digest;
}

/** Hashes the bytes as they are and as they unpack, and looks at every header of the tar. */
async function readFileSystem(file: RandomAccess, name: string, signal?: AbortSignal): Promise<FoundFileSystem> {
  const compression = sniffCompression(await readStart(file, signal));
  const packed = createHash('sha256');
  const unpacked = createHash('sha256');
  const bytes = hashed(await file.openRange(0, file.sizeBytes, signal), packed);
  try {
    const tar = streamSource(hashed(unpack(Readable.from(bytes, { objectMode: false }), compression), unpacked));
    let entries = 0;
    for await (const _entry of readTar(tar)) entries += 1;
    await tar.drain();
    if (entries === 0) throw new Error('an empty one');
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw notRootFileSystem(name, cause);
  }
  return {
    mediaType: layerMediaType(compression),
    digest: toDigest(`sha256:${packed.digest('hex')}`),
    diffId: toDigest(`sha256:${unpacked.digest('hex')}`),
  };
}

async function readStart(file: RandomAccess, signal?: AbortSignal): Promise<Uint8Array> {
  for await (const chunk of await file.openRange(0, Math.min(16, file.sizeBytes), signal)) return chunk as Uint8Array;
  return new Uint8Array();
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

const notRootFileSystem = (name: string, cause: unknown) =>
  imageError('image/bad-archive', `root file system ${name}: expected a tar, got ${toMessage(cause)}`, {
    hint: 'give a tar as it is or packed with gzip or zstd; for an archive of docker save, use dockerLoad',
    cause,
  });
