import type { ClusterApi } from '../api/port.ts';
import type { CwlDirectory, CwlFile } from '../cwl/values.ts';
import { isFile } from '../cwl/values.ts';
import { locationName } from '../job/file-objects.ts';
import { buildCollection } from '../keep/build-collection.ts';
import type { Collection } from '../keep/collection.ts';
import { formatKeepLocation } from '../keep/location.ts';
import { ensureCollection } from './collections.ts';
import type { Downloads } from './downloads/port.ts';
import { runError } from './errors.ts';
import { type HostFiles, isHostLocation, isRemote, type Tree, toHostPath } from './host-files.ts';

type Entry = CwlFile | CwlDirectory;

interface HostInputServices {
  readonly api: ClusterApi;
  readonly hostFiles: HostFiles;
  /** As in `InputStoreOptions`. */
  readonly downloads?: Downloads;
  readonly signal?: AbortSignal;
}

/** The File in Keep: it lies in one collection with its secondaryFiles, which must be host files too. */
export async function storeHostFile(file: CwlFile, services: HostInputServices): Promise<CwlFile> {
  const secondary = file.secondaryFiles ?? [];
  refuseSharedNames(file, [file, ...secondary].map(plainName));
  refuseOtherPlaces(secondary);
  const parts = await Promise.all([file, ...secondary].map((item) => readEntry(item, plainName(item), services)));
  const tree = {
    files: parts.flatMap((part) => part.files),
    directories: parts.flatMap((part) => part.directories),
  };
  const collection = await saveTree(plainName(file), tree, services.api);
  const primary = placeIn(collection, file);
  if (secondary.length === 0) return primary;
  return { ...primary, secondaryFiles: secondary.map((item) => placeIn(collection, item)) };
}

/** The Directory in Keep: it is the root of a collection of its own. */
export async function storeHostDirectory(directory: CwlDirectory, services: HostInputServices): Promise<CwlDirectory> {
  const basename = plainName(directory);
  const { portableDataHash } = await saveTree(basename, await readEntry(directory, '', services), services.api);
  const { listing: _listing, ...rest } = directory;
  return { ...rest, location: formatKeepLocation(portableDataHash), basename };
}

async function readEntry(
  entry: Entry,
  name: string,
  { hostFiles, downloads, signal }: HostInputServices,
): Promise<Tree> {
  const location = entry.location ?? '';
  if (!isRemote(location)) return hostFiles.read(toHostPath(location), entry.class, name);
  const hint = 'download it and give its path';
  if (entry.class === 'Directory')
    throw runError('run/bad-input', `expected the path of a Directory, got ${location}: a URL names a file`, { hint });
  if (downloads === undefined || location.startsWith('s3:'))
    throw runError('run/bad-input', `cannot fetch input ${location}`, { hint });
  return { files: [{ ...(await downloads.fetch(location, signal)), path: name }], directories: [] };
}

async function saveTree(name: string, { files, directories }: Tree, api: ClusterApi): Promise<Collection> {
  const collection = buildCollection(files, directories);
  await ensureCollection(api, collection, { name: `Input ${name}`, properties: { type: 'input' } });
  return collection;
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
