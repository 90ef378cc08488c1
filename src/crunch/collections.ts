import type { ClusterApi } from '../api/port.ts';
import type { CollectionRecord } from '../api/records.ts';
import { createSingleFlight } from '../core/concurrency.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { Collection } from '../keep/collection.ts';
import { parseManifest } from '../keep/manifest.ts';
import { crunchError } from './errors.ts';
import type { CollectionReader } from './port.ts';

/** Parsed manifests are kept up to this many characters of text: steps of a scatter share their inputs. */
const keptTextLength = 16 * 1024 * 1024;

/** Reads collections from their records. What a portable data hash names never changes, so it is asked for once. */
export function createCollectionReader(api: ClusterApi): CollectionReader {
  const kept = new Map<PortableDataHash, Collection>();
  const flight = createSingleFlight<Collection>();
  let keptLength = 0;
  const keep = (collection: Collection): void => {
    kept.set(collection.portableDataHash, collection);
    keptLength += collection.manifestText.length;
    for (const [oldest, one] of kept) {
      if (keptLength <= keptTextLength) return;
      kept.delete(oldest);
      keptLength -= one.manifestText.length;
    }
  };
  const fetch = async (hash: PortableDataHash): Promise<Collection> => {
    const query = {
      filters: [['portable_data_hash', '=', hash]],
      select: ['uuid', 'manifest_text'],
      limit: 1,
      count: 'none',
    } as const;
    const { items } = await api.list('collections', query);
    if (!items[0]) throw missing(hash);
    const collection = parse(items[0], hash);
    keep(collection);
    return collection;
  };
  return {
    byPortableDataHash: async (hash) => kept.get(hash) ?? flight(hash, () => fetch(hash)),
    async byUuid(uuid) {
      const record = await api.get('collections', uuid);
      return parse(record, record.portable_data_hash);
    },
  };
}

function parse(record: CollectionRecord, hash: PortableDataHash): Collection {
  const collection = parseManifest(record.manifest_text);
  if (collection.portableDataHash === hash) return collection;
  throw crunchError(
    'crunch/collection-missing',
    `collection ${record.uuid}: expected the content ${hash}, got ${collection.portableDataHash}`,
    { hint: 'the record is damaged: restore it, or run the step that made it again' },
  );
}

function missing(hash: PortableDataHash) {
  return crunchError('crunch/collection-missing', `no collection has the content ${hash}`, {
    hint: 'it was removed or never stored: upload the input again, or run the step that made it',
  });
}
