import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import type { ClusterApi } from '../api/port.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { CwlDirectory, CwlFile, CwlObject, CwlValue } from '../cwl/values.ts';
import { isDirectory, isFile } from '../cwl/values.ts';
import type { Collection } from '../keep/collection.ts';
import { openFile } from '../keep/file-reader.ts';

import { formatKeepLocation, parseKeepLocation } from '../keep/location.ts';
import type { BlockStore } from '../keep/port.ts';
import { listDirectory } from '../keep/tree.ts';
import { readCollection } from './collections.ts';
import { runError } from './errors.ts';

export interface OutputOptions {
  readonly api: ClusterApi;
  readonly blocks: BlockStore;
  /** Where the files go: made when it does not exist. */
  readonly outdir: string;
  /** `sha1$…` of each file in the output object; default true. */
  readonly computeChecksum: boolean;
}

/**
 * Copies every File and Directory of the output object out of Keep into `outdir` and returns the object with `file:` locations.
 * Two outputs of one name get different ones (`name_2.ext`); one file that is named twice is copied once.
 */
export async function writeOutputs(outputs: CwlObject, options: OutputOptions): Promise<CwlObject> {
  await mkdir(options.outdir, { recursive: true });
  const names = new Set<string>();
  const collections = new Map<string, Promise<Collection>>();
  const written = new Map<string, Promise<CwlFile | CwlDirectory>>();

  async function write(value: CwlValue): Promise<CwlValue> {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      const items: CwlValue[] = [];
      for (const item of value) items.push(await write(item as CwlValue));
      return items;
    }
    if (isFile(value) || isDirectory(value)) return (await writeOnce(value)) as unknown as CwlValue;
    const fields: Record<string, CwlValue> = {};
    for (const [name, field] of Object.entries(value)) fields[name] = await write(field as CwlValue);
    return fields;
  }

  function writeOnce(value: CwlFile | CwlDirectory): Promise<CwlFile | CwlDirectory> {
    const key = JSON.stringify(value);
    const task = written.get(key) ?? place(value, options.outdir, names);
    written.set(key, task);
    return task;
  }

  async function place(
    value: CwlFile | CwlDirectory,
    dir: string,
    taken: Set<string>,
  ): Promise<CwlFile | CwlDirectory> {
    const name = freeName(value.basename ?? lastPart(value.location) ?? 'output', taken);
    const path = join(dir, name);
    return isFile(value) ? placeFile(value, path, dir, taken) : placeDirectory(value, path);
  }

  async function placeFile(file: CwlFile, path: string, dir: string, taken: Set<string>): Promise<CwlFile> {
    const { dirname: _dirname, nameroot: _nameroot, nameext: _nameext, contents, ...rest } = file;
    const facts = await copyContent(file, path);
    const secondaryFiles: (CwlFile | CwlDirectory)[] = [];
    for (const item of file.secondaryFiles ?? []) secondaryFiles.push(await place(item, dir, taken));
    return {
      ...rest,
      ...(contents !== undefined && file.location !== undefined ? { contents } : {}),
      location: pathToFileURL(path).href,
      path,
      basename: lastPart(path) ?? '',
      size: facts.sizeBytes,
      ...(options.computeChecksum ? { checksum: `sha1$${facts.sha1}` } : {}),
      ...(secondaryFiles.length > 0 ? { secondaryFiles } : {}),
    };
  }

  async function copyContent(file: CwlFile, path: string): Promise<{ sizeBytes: number; sha1: string }> {
    const hash = createHash('sha1');
    if (file.location === undefined) {
      const bytes = Buffer.from(file.contents ?? '');
      await writeFile(path, bytes);
      return { sizeBytes: bytes.length, sha1: hash.update(bytes).digest('hex') };
    }
    const { collection, inside } = await openLocation(file.location);
    const entry = collection.files.get(inside);
    if (!entry) throw runError('run/outputs-failed', `output ${file.location} is not in its collection`, {});
    const tap = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await rm(path, { force: true });
    await pipeline(openFile(options.blocks, entry), tap, createWriteStream(path));
    return { sizeBytes: entry.sizeBytes, sha1: hash.digest('hex') };
  }

  async function placeDirectory(directory: CwlDirectory, path: string): Promise<CwlDirectory> {
    await mkdir(path, { recursive: true });
    const listing: (CwlFile | CwlDirectory)[] = [];
    const taken = new Set<string>();
    for (const item of directory.listing ?? (await listLocation(directory)))
      listing.push(await place(item, path, taken));
    return { ...directory, location: pathToFileURL(path).href, path, basename: lastPart(path) ?? '', listing };
  }

  /** Children of a directory in Keep, as CWL objects. */
  async function listLocation(directory: CwlDirectory): Promise<(CwlFile | CwlDirectory)[]> {
    if (directory.location === undefined) return [];
    const { portableDataHash, collection, inside } = await openLocation(directory.location);
    return listDirectory(collection, inside).map((entry) => {
      const { name } = entry;
      return {
        class: entry.kind === 'file' ? 'File' : 'Directory',
        location: formatKeepLocation(portableDataHash, entry.path),
        basename: name,
      } as CwlFile | CwlDirectory;
    });
  }

  async function openLocation(
    location: string,
  ): Promise<{ portableDataHash: PortableDataHash; collection: Collection; inside: string }> {
    const { portableDataHash, path } = parseKeepLocation(location);
    const collection = collections.get(portableDataHash) ?? readCollection(options.api, portableDataHash);
    collections.set(portableDataHash, collection);
    return { portableDataHash, collection: await collection, inside: path };
  }

  return (await write(outputs as CwlValue)) as CwlObject;
}

function lastPart(location: string | undefined): string | undefined {
  return location?.replace(/\/+$/, '').split('/').pop();
}

function freeName(wanted: string, taken: Set<string>): string {
  const extension = extname(wanted);
  const stem = wanted.slice(0, wanted.length - extension.length);
  let name = wanted;
  for (let count = 2; taken.has(name); count += 1) name = `${stem}_${count}${extension}`;
  taken.add(name);
  return name;
}
