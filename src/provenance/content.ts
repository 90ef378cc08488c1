import { open } from 'node:fs/promises';
import type { ClusterApi } from '../api/port.ts';
import type { CollectionRecord, Container } from '../api/records.ts';
import { toMessage } from '../core/errors.ts';
import type { BlockLocator, PortableDataHash } from '../core/ids.ts';
import type { CollectionFile } from '../keep/collection.ts';
import { hashFile } from '../keep/disk/hash-file.ts';
import { blockSizeBytes, stripHints } from '../keep/locator.ts';
import { parseManifest } from '../keep/manifest.ts';
import { provenanceError } from './errors.ts';
import { inputsOf, listAll, listProducers } from './records.ts';

/** A place in Keep where some content lies as a file of its own. */
export interface ContentPlace {
  readonly portableDataHash: PortableDataHash;
  readonly path: string;
}

/** The blocks of a file of this machine, as Keep would cut it. Fails with `provenance/bad-subject`. */
export async function hashHostFile(path: string): Promise<readonly BlockLocator[]> {
  try {
    await using file = await open(path, 'r');
    if (!(await file.stat()).isFile()) throw new Error('it is not a regular file');
    return await hashFile(file);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw provenanceError(
      'provenance/bad-subject',
      isMissing ? `there is no file ${path}` : `cannot read ${path}: ${toMessage(error)}`,
      {
        hint: 'give a file, a uuid or a portable data hash',
        cause: error,
      },
    );
  }
}

/** Where these blocks, whole and in order, are a file; oldest collection first. Empty content is nowhere. */
export async function findContent(api: ClusterApi, locators: readonly BlockLocator[]): Promise<ContentPlace[]> {
  const [first] = locators;
  if (first === undefined) return [];
  const filters = [['manifest_text', 'like', `%${stripHints(first)}%`]] as const;
  return toPlaces(await listAll(api, 'collections', { filters, select: looked }), locators);
}

/** Manifests that are read where the cluster does not search them. */
const mostOutputs = 1000;

/** As `findContent`, on a cluster that does not search manifests: among the newest outputs of containers. */
export async function findAmongOutputs(api: ClusterApi, locators: readonly BlockLocator[]): Promise<ContentPlace[]> {
  const { items } = await api.list('collections', {
    filters: [['properties.type', 'in', ['output', 'intermediate']]],
    select: looked,
    order: ['created_at desc'],
    limit: mostOutputs,
    count: 'none',
  });
  return toPlaces(items.toReversed(), locators);
}

const looked = ['uuid', 'portable_data_hash', 'manifest_text', 'created_at'];

function toPlaces(records: readonly CollectionRecord[], locators: readonly BlockLocator[]): ContentPlace[] {
  const places = records.flatMap((record) => placesIn(record, locators));
  return [...new Map(places.map((place) => [`${place.portableDataHash}/${place.path}`, place])).values()];
}

function placesIn(record: CollectionRecord, locators: readonly BlockLocator[]): ContentPlace[] {
  const wanted = locators.map(stripHints).join(' ');
  return [...parseManifest(record.manifest_text).files.values()]
    .filter((file) => wholeLocators(file)?.join(' ') === wanted)
    .map(({ path }) => ({ portableDataHash: record.portable_data_hash, path }));
}

/** The file's blocks when it is made of whole ones. */
export function wholeLocators(file: CollectionFile): BlockLocator[] | undefined {
  const whole = file.segments.every(
    ({ locator, offset, length }) => offset === 0 && length === blockSizeBytes(locator),
  );
  return whole ? file.segments.map(({ locator }) => stripHints(locator)) : undefined;
}

/** Where a container made the content; where none did, the oldest place, which is how it came into Keep. */
export async function findOrigins(api: ClusterApi, places: readonly ContentPlace[]): Promise<ContentPlace[]> {
  const made = await findMade(api, places);
  return made.length > 0 ? made : places.slice(0, 1);
}

/** The places whose container made the content: not those that only passed it on from an input. */
export async function findMade(api: ClusterApi, places: readonly ContentPlace[]): Promise<ContentPlace[]> {
  const holding = new Set(places.map((place) => place.portableDataHash));
  const passedOn = (container: Container) => [...inputsOf(container).keys()].some((input) => holding.has(input));
  const made: ContentPlace[] = [];
  for (const portableDataHash of holding) {
    const producers = await listProducers(api, portableDataHash);
    if (!producers.some((container) => !passedOn(container))) continue;
    made.push(...places.filter((place) => place.portableDataHash === portableDataHash));
  }
  return made;
}
