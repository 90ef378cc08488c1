import type { ClusterApi } from '../api/port.ts';
import { mapLimited } from '../core/concurrency.ts';
import type { CwlDirectory, CwlFile, CwlObject, CwlValue } from '../cwl/values.ts';
import { isDirectory, isFile } from '../cwl/values.ts';
import type { LocalBlockStore } from '../keep/port.ts';
import type { Downloads } from './downloads/port.ts';
import { createHostFiles, type HostFiles, isHostLocation } from './host-files.ts';
import { storeHostDirectory, storeHostFile } from './host-inputs.ts';

export interface InputStore {
  /** The same value with every host file and directory in Keep: locations become `keep:PDH/path`. */
  store<T extends CwlValue>(value: T): Promise<T>;
  storeObject(object: CwlObject): Promise<CwlObject>;
}

export interface InputStoreOptions {
  readonly api: ClusterApi;
  readonly blocks: LocalBlockStore;
  /** Absent: files of the web are an error. */
  readonly downloads?: Downloads;
  /** Ends what is being read, also in the middle of a file. */
  readonly signal?: AbortSignal;
}

type Entry = CwlFile | CwlDirectory;

/** What the functions of one store share. */
interface Storing extends InputStoreOptions {
  readonly hostFiles: HostFiles;
  /** By the whole value: one location may be seen under several names. */
  readonly known: Map<string, Promise<Entry>>;
}

/** Values of a list that are stored at a time. */
const parallelValues = 4;

/** Stores each location once in its life, however many values name it. */
export function createInputStore(options: InputStoreOptions): InputStore {
  const storing: Storing = { ...options, hostFiles: createHostFiles(options.blocks, options.signal), known: new Map() };
  return {
    store: (value) => storeValue(value, storing),
    storeObject: (object) => storeValue(object as CwlValue, storing) as Promise<CwlObject>,
  };
}

async function storeValue<T extends CwlValue>(value: T, storing: Storing): Promise<T> {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    if (!value.some((item) => item !== null && typeof item === 'object')) return value;
    return (await storeList(value, storing)) as unknown as T;
  }
  if (isFile(value) || isDirectory(value)) return (await storeEntry(value, storing)) as unknown as T;
  const fields = await Promise.all(
    Object.entries(value).map(async ([name, field]) => [name, await storeValue(field as CwlValue, storing)] as const),
  );
  return Object.fromEntries(fields) as T;
}

function storeList(values: readonly CwlValue[], storing: Storing): Promise<CwlValue[]> {
  return mapLimited(values, parallelValues, (value) => storeValue(value, storing));
}

function storeEntry(entry: Entry, storing: Storing): Promise<Entry> {
  if (!isHostLocation(entry.location)) return storePartsOf(entry, storing);
  const key = JSON.stringify(entry);
  const stored =
    storing.known.get(key) ?? (isFile(entry) ? storeHostFile(entry, storing) : storeHostDirectory(entry, storing));
  storing.known.set(key, stored);
  return stored;
}

/** What is in Keep, or a literal, stays; what it brings with it may lie on the host. */
async function storePartsOf(entry: Entry, storing: Storing): Promise<Entry> {
  const name = isFile(entry) ? 'secondaryFiles' : 'listing';
  const parts = isFile(entry) ? entry.secondaryFiles : entry.listing;
  if (!parts || parts.length === 0) return entry;
  return { ...entry, [name]: await storeList(parts as unknown as CwlValue[], storing) };
}
