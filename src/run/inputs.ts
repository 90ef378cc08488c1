import type { ClusterApi } from '../api/port.ts';
import { mapLimited } from '../core/concurrency.ts';
import type { CwlDirectory, CwlFile, CwlObject, CwlValue } from '../cwl/values.ts';
import { isDirectory, isFile } from '../cwl/values.ts';
import { locationName } from '../job/file-objects.ts';
import { buildCollection } from '../keep/build-collection.ts';
import type { Collection } from '../keep/collection.ts';
import { formatKeepLocation } from '../keep/location.ts';
import type { LocalBlockStore } from '../keep/port.ts';
import { ensureCollection } from './collections.ts';
import { runError } from './errors.ts';
import { createHostFiles, isHostLocation, isRemote, type Tree, toHostPath } from './host-files.ts';

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

type Entry = CwlFile | CwlDirectory;

/** Values of a list that are stored at a time. */
const parallelValues = 4;

/** Stores each location once in its life, however many values name it. */
export function createInputStore(options: InputStoreOptions): InputStore {
  const known = new Map<string, Promise<Entry>>();
  const hostFiles = createHostFiles(options.blocks);

  async function store<T extends CwlValue>(value: T): Promise<T> {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) {
      if (!value.some((item) => item !== null && typeof item === 'object')) return value;
      return (await mapLimited(value, parallelValues, (item: CwlValue) => store(item))) as unknown as T;
    }
    if (isFile(value)) return (await once(value, () => storeFile(value))) as unknown as T;
    if (isDirectory(value)) return (await once(value, () => storeDirectory(value))) as unknown as T;
    const fields = await Promise.all(
      Object.entries(value).map(async ([name, field]) => [name, await store(field as CwlValue)] as const),
    );
    return Object.fromEntries(fields) as T;
  }

  function once(value: Entry, task: () => Promise<Entry>): Promise<Entry> {
    if (!isHostLocation(value.location)) return task();
    const key = JSON.stringify(value);
    const stored = known.get(key) ?? task();
    known.set(key, stored);
    return stored;
  }

  /** A host file lies in one collection with its secondaryFiles, which must be host files too. */
  async function storeFile(file: CwlFile): Promise<CwlFile> {
    const secondary = file.secondaryFiles ?? [];
    if (!isHostLocation(file.location)) {
      if (secondary.length === 0) return file;
      return {
        ...file,
        secondaryFiles: await Promise.all(secondary.map((item) => store(item as CwlValue) as Promise<Entry>)),
      };
    }
    refuseSharedNames(file, [file, ...secondary].map(plainName));
    refuseOtherPlaces(secondary);
    const parts = await Promise.all([file, ...secondary].map(readPart));
    const collection = await save(plainName(file), {
      files: parts.flatMap((part) => part.files),
      directories: parts.flatMap((part) => part.directories),
    });
    const primary = placeIn(collection, file);
    if (secondary.length === 0) return primary;
    return { ...primary, secondaryFiles: secondary.map((item) => placeIn(collection, item)) };
  }

  async function storeDirectory(directory: CwlDirectory): Promise<CwlDirectory> {
    if (isHostLocation(directory.location)) {
      const name = plainName(directory);
      const tree = await hostFiles.read(await pathOf(directory.location), 'Directory', '');
      const { portableDataHash } = await save(name, tree);
      const { listing: _listing, ...rest } = directory;
      return { ...rest, location: formatKeepLocation(portableDataHash), basename: name };
    }
    if (!directory.listing) return directory;
    const listing = await mapLimited(directory.listing, parallelValues, (item) => store(item as CwlValue));
    return { ...directory, listing: listing as unknown as Entry[] };
  }

  async function readPart(item: Entry): Promise<Tree> {
    return hostFiles.read(await pathOf(item.location ?? ''), item.class, plainName(item));
  }

  async function save(name: string, { files, directories }: Tree): Promise<Collection> {
    const collection = buildCollection(files, directories);
    await ensureCollection(options.api, collection, { name: `Input ${name}`, properties: { type: 'input' } });
    return collection;
  }

  async function pathOf(location: string): Promise<string> {
    if (!isRemote(location)) return toHostPath(location);
    if (options.download) return options.download(location);
    throw runError('run/bad-input', `cannot fetch input ${location}`, {
      hint: 'download it and give the path of the file',
    });
  }

  return { store, storeObject: (object) => store(object as CwlValue) as Promise<CwlObject> };
}

function placeIn<T extends Entry>({ portableDataHash, files }: Collection, item: T): T {
  const basename = plainName(item);
  const size = isFile(item) ? files.get(basename)?.sizeBytes : undefined;
  return {
    ...item,
    location: formatKeepLocation(portableDataHash, basename),
    basename,
    ...(size === undefined ? {} : { size }),
  };
}

function refuseSharedNames(file: CwlFile, names: readonly string[]): void {
  if (new Set(names).size === names.length) return;
  throw runError('run/bad-input', `secondaryFiles of ${file.location} share a name: ${names.join(', ')}`, {
    hint: 'give each a basename of its own',
  });
}

function refuseOtherPlaces(secondary: readonly Entry[]): void {
  const other = secondary.find(({ location }) => !isHostLocation(location));
  if (!other) return;
  throw runError(
    'run/bad-input',
    `secondaryFiles of a host file must be host files too, got ${other.location ?? 'a literal'}`,
  );
}

/** The name that an input is seen under: its basename, else the last part of its location. */
function plainName(item: Entry): string {
  const name = item.basename ?? lastPart(item.location ?? '');
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw runError('run/bad-input', `expected a plain file name as basename, got ${JSON.stringify(name)}`);
  }
  return name;
}

function lastPart(location: string): string {
  if (isRemote(location)) return locationName(location);
  const path = toHostPath(location).replace(/\/+$/, '');
  return path.slice(path.lastIndexOf('/') + 1);
}
