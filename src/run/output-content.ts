import { createHash, hash } from 'node:crypto';
import { createWriteStream, rmSync, writeFileSync } from 'node:fs';
import { type Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClusterApi } from '../api/port.ts';
import { isHallmarkError, toMessage } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { CwlDirectory, CwlFile } from '../cwl/values.ts';
import { cacheBlocks } from '../keep/block-cache.ts';
import type { Collection } from '../keep/collection.ts';
import { openFile, readBytes } from '../keep/file-reader.ts';
import { formatKeepLocation, parseKeepLocation } from '../keep/location.ts';
import type { BlockStore } from '../keep/port.ts';
import { type CollectionEntry, listDirectory } from '../keep/tree.ts';
import { readCollection } from './collections.ts';
import { runError } from './errors.ts';

export interface Written {
  readonly sizeBytes: number;
  readonly sha1: string;
}

/** What outputs are made of: bytes and listings in Keep, or literals. Collections are read once. */
export interface OutputContent {
  /** Writes the file's bytes as a new file: what was at `path`, a symbolic link too, is replaced, never written through. */
  copy(file: CwlFile, path: string): Promise<Written>;
  /** Reads the file to its end. */
  measure(file: CwlFile): Promise<Written>;
  /** Children of a directory, as CWL objects: made one after another. */
  list(directory: CwlDirectory): Promise<Iterable<CwlFile | CwlDirectory>>;
}

export function createOutputContent(api: ClusterApi, blocks: BlockStore): OutputContent {
  const collections = new Map<string, Promise<Collection>>();
  // Small files share blocks: each block is read, and checked, once for all of them.
  const cached = cacheBlocks(blocks);

  async function open(location: string) {
    const { portableDataHash, path } = parseKeepLocation(location);
    const collection = collections.get(portableDataHash) ?? readCollection(api, portableDataHash);
    collections.set(portableDataHash, collection);
    return { portableDataHash, collection: await collection, path };
  }

  async function openContent({ location, contents }: CwlFile): Promise<Readable | Buffer> {
    if (location === undefined) return Buffer.from(contents ?? '');
    const { collection, path } = await open(location);
    const file = collection.files.get(path);
    if (!file) throw runError('run/outputs-failed', `output ${location} is not in its collection`);
    return file.sizeBytes <= smallBytes ? readBytes(cached, file) : openFile(blocks, file);
  }

  return {
    async copy(file, path) {
      const content = await openContent(file);
      try {
        rmSync(path, { force: true });
        return await writeNew(content, path);
      } catch (cause) {
        throw isHallmarkError(cause) ? cause : outputFailed(path, cause);
      }
    },
    async measure(file) {
      const content = await openContent(file);
      if (Buffer.isBuffer(content)) return measureBytes(content);
      const meter = createMeter();
      await pipeline(content, meter.tap, new Writable({ write: (_chunk, _encoding, done) => done() }));
      return meter.total();
    },
    async list({ listing, location }) {
      if (listing) return listing;
      if (location === undefined) return [];
      const { portableDataHash, collection, path } = await open(location);
      return toObjects(portableDataHash, listDirectory(collection, path));
    },
  };
}

function* toObjects(hash: PortableDataHash, entries: Iterable<CollectionEntry>): Generator<CwlFile | CwlDirectory> {
  for (const { kind, name, path } of entries) {
    yield { class: kind === 'file' ? 'File' : 'Directory', location: formatKeepLocation(hash, path), basename: name };
  }
}

/** Up to here the thread pool and streams cost more than the bytes. */
const smallBytes = 64 * 1024;

async function writeNew(content: Readable | Buffer, path: string): Promise<Written> {
  if (Buffer.isBuffer(content)) {
    writeFileSync(path, content, { flag: 'wx' });
    return measureBytes(content);
  }
  const meter = createMeter();
  await pipeline(content, meter.tap, createWriteStream(path, { flags: 'wx' }));
  return meter.total();
}

const measureBytes = (content: Buffer): Written => ({ sizeBytes: content.length, sha1: hash('sha1', content, 'hex') });

function createMeter() {
  const digest = createHash('sha1');
  let sizeBytes = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  return { tap, total: (): Written => ({ sizeBytes, sha1: digest.digest('hex') }) };
}

export const outputFailed = (path: string, cause: unknown) =>
  runError('run/outputs-failed', `cannot write output ${path}: ${toMessage(cause)}`, {
    hint: 'choose another folder with --outdir',
    cause,
  });
