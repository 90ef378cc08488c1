import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ClusterApi } from '../api/port.ts';
import { mapLimited } from '../core/concurrency.ts';
import { toMessage } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { CwlDirectory, CwlFile, CwlObject, CwlValue } from '../cwl/values.ts';
import { isDirectory, isFile } from '../cwl/values.ts';
import { buildCollection } from '../keep/build-collection.ts';
import type { CollectionFile } from '../keep/collection.ts';
import { toSegments } from '../keep/collection-writer.ts';
import { formatKeepLocation } from '../keep/location.ts';
import type { LocalBlockStore } from '../keep/port.ts';
import { ensureCollection } from './collections.ts';
import { runError } from './errors.ts';

export interface InputStore {
  /** The same value with every host file and directory in Keep: locations become `keep:PDH/path`. */
  store<T extends CwlValue>(value: T): Promise<T>;
  storeObject(object: CwlObject): Promise<CwlObject>;
}

export interface InputStoreOptions {
  readonly api: ClusterApi;
  readonly blocks: LocalBlockStore;
  /** Fetches an `http:`, `https:` or `s3:` file to the host and says where it is; absent: such a location is an error. */
  readonly download?: (url: string) => Promise<string>;
}

/** Files are read this many at a time. */
const parallelFiles = 4;

/** Stores each location once in its life, however many values name it. */
export function createInputStore(options: InputStoreOptions): InputStore {
  const known = new Map<string, Promise<CwlFile | CwlDirectory>>();

  async function store<T extends CwlValue>(value: T): Promise<T> {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      if (!value.some((item) => item !== null && typeof item === 'object')) return value;
      return (await mapLimited(value, parallelFiles, (item: CwlValue) => store(item))) as unknown as T;
    }
    if (isFile(value)) return (await once(value, () => storeFile(value))) as unknown as T;
    if (isDirectory(value)) return (await once(value, () => storeDirectory(value))) as unknown as T;
    const fields = await Promise.all(
      Object.entries(value).map(async ([name, field]) => [name, await store(field as CwlValue)] as const),
    );
    return Object.fromEntries(fields) as T;
  }

  function once(
    value: CwlFile | CwlDirectory,
    task: () => Promise<CwlFile | CwlDirectory>,
  ): Promise<CwlFile | CwlDirectory> {
    const key = isHostLocation(value.location) ? JSON.stringify(value) : undefined;
    if (!key) return task();
    const stored = known.get(key) ?? task();
    known.set(key, stored);
    return stored;
  }

  /** A host file lies in one collection with those of its secondaryFiles that are host files too. */
  async function storeFile(file: CwlFile): Promise<CwlFile> {
    const secondary = file.secondaryFiles ?? [];
    if (!isHostLocation(file.location)) {
      if (secondary.length === 0) return file;
      return {
        ...file,
        secondaryFiles: await Promise.all(secondary.map((item) => store(item as CwlValue) as Promise<CwlFile>)),
      };
    }
    const parts = await Promise.all([file, ...secondary].map((item) => readPart(item)));
    const files = parts.flatMap((part) => part.files);
    const directories = parts.flatMap((part) => part.directories);
    const unique = new Set(files.map(({ path }) => path)).size === files.length;
    if (!unique) {
      const names = files.map(({ path }) => path).join(', ');
      throw runError('run/bad-input', `secondaryFiles of ${file.location} share a name: ${names}`, {
        hint: 'give each a basename of its own',
      });
    }
    const collection = buildCollection(files, directories);
    await ensureCollection(options.api, collection, {
      name: `Input ${nameOf(file)}`,
      properties: { ...inputProperties },
    });
    const locate = <T extends CwlFile | CwlDirectory>(item: T, index: number): T => {
      const size = parts[index]?.files.find(({ path }) => path === nameOf(item))?.sizeBytes;
      const placed = {
        ...item,
        location: formatKeepLocation(collection.portableDataHash, nameOf(item)),
        basename: nameOf(item),
      };
      return isFile(item) && size !== undefined ? { ...placed, size } : placed;
    };
    const primary = locate(file, 0);
    if (secondary.length === 0) return primary;
    return { ...primary, secondaryFiles: secondary.map((item, index) => locate(item, index + 1)) };
  }

  async function storeDirectory(directory: CwlDirectory): Promise<CwlDirectory> {
    if (isHostLocation(directory.location)) {
      const { files, directories } = await readTree(await toHostPath(directory.location), '');
      const collection = buildCollection(files, directories);
      await ensureCollection(options.api, collection, {
        name: `Input ${nameOf(directory)}`,
        properties: { ...inputProperties },
      });
      const { listing: _listing, ...rest } = directory;
      return { ...rest, location: formatKeepLocation(collection.portableDataHash), basename: nameOf(directory) };
    }
    if (!directory.listing) return directory;
    const listing = await mapLimited(directory.listing, parallelFiles, (item) => store(item as CwlValue));
    return { ...directory, listing: listing as unknown as (CwlFile | CwlDirectory)[] };
  }

  async function readPart(item: CwlFile | CwlDirectory): Promise<Tree> {
    const name = nameOf(item);
    if (!isHostLocation(item.location)) {
      throw runError(
        'run/bad-input',
        `secondaryFiles of a host file must be host files too, got ${String(item.location ?? 'a literal')}`,
        {},
      );
    }
    const path = await toHostPath(item.location);
    if (isDirectory(item)) return readTree(path, name);
    return { files: [await readFileInto(path, name)], directories: [] };
  }

  async function readTree(root: string, prefix: string, seen: readonly string[] = []): Promise<Tree> {
    const real = await realpath(root);
    if (seen.includes(real)) {
      throw runError('run/bad-input', `directory ${root} contains itself through a symbolic link`, {
        hint: 'remove the link',
      });
    }
    const entries = (await readdir(root, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (entries.length === 0) return { files: [], directories: prefix ? [prefix] : [] };
    const trees = await mapLimited(entries, parallelFiles, async (entry): Promise<Tree> => {
      const path = join(root, entry.name);
      const target = prefix ? `${prefix}/${entry.name}` : entry.name;
      const kind = entry.isSymbolicLink() ? await stat(path) : entry;
      if (kind.isDirectory()) return readTree(path, target, [...seen, real]);
      if (!kind.isFile())
        throw runError('run/bad-input', `${path} is neither a file nor a directory`, {
          hint: 'leave it out of the input',
        });
      return { files: [await readFileInto(path, target)], directories: [] };
    });
    return { files: trees.flatMap((tree) => tree.files), directories: trees.flatMap((tree) => tree.directories) };
  }

  async function readFileInto(path: string, target: string): Promise<CollectionFile> {
    const stored = await options.blocks.storeFile(await realpath(path));
    return { path: target, sizeBytes: stored.sizeBytes, segments: toSegments(stored) };
  }

  async function toHostPath(location: string): Promise<string> {
    const path = /^(https?|s3):/.test(location) ? await download(location) : hostPathOf(location);
    try {
      await lstat(path);
    } catch (cause) {
      throw runError('run/input-missing', `cannot read input ${path}: ${toMessage(cause)}`, {
        hint: 'paths in a job file are relative to that file',
        cause,
      });
    }
    return path;
  }

  async function download(location: string): Promise<string> {
    if (options.download) return options.download(location);
    throw runError('run/bad-input', `cannot fetch input ${location}`, {
      hint: 'download it and give the path of the file',
    });
  }

  return { store, storeObject: (object) => store(object as CwlValue) as Promise<CwlObject> };
}

const inputProperties: JsonObject = { type: 'input' };

interface Tree {
  readonly files: readonly CollectionFile[];
  readonly directories: readonly string[];
}

function isHostLocation(location: string | undefined): location is string {
  return location !== undefined && (/^(file|https?|s3):/.test(location) || location.startsWith('/'));
}

function hostPathOf(location: string): string {
  return location.startsWith('/') ? location : fileURLToPath(new URL(location).href.replace(/#/g, '%23'));
}

/** The name that an input is seen under: its basename, else the last part of its location. */
function nameOf(item: CwlFile | CwlDirectory): string {
  const name = item.basename ?? basename(decodeURIComponent(new URL(item.location ?? '', pathToFileURL('/')).pathname));
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw runError('run/bad-input', `expected a plain file name as basename, got ${JSON.stringify(name)}`, {});
  }
  return name;
}
