import type { ClusterApi } from '../api/port.ts';
import type { CollectionRecord } from '../api/records.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { Collection } from '../keep/collection.ts';
import { parseManifest } from '../keep/manifest.ts';
import { runError } from './errors.ts';

/** A record that holds the content named by `portableDataHash`; any of them will do. */
async function findCollection(
  api: ClusterApi,
  portableDataHash: PortableDataHash,
): Promise<CollectionRecord | undefined> {
  const page = await api.list('collections', {
    filters: [['portable_data_hash', '=', portableDataHash]],
    select: ['uuid', 'portable_data_hash', 'manifest_text', 'properties', 'name'],
    limit: 1,
    count: 'none',
  });
  return page.items[0];
}

/** The content of a collection by its PDH. */
export async function readCollection(api: ClusterApi, portableDataHash: PortableDataHash): Promise<Collection> {
  const record = await findCollection(api, portableDataHash);
  if (record) return parseManifest(record.manifest_text);
  throw missing(portableDataHash);
}

/**
 * The log of a container by its PDH. On a real cluster that record belongs to the cluster: there it is read as the request of the
 * container keeps it, with the files of the newest container at the top.
 */
export async function readLog(api: ClusterApi, log: PortableDataHash): Promise<Collection> {
  const record = await findCollection(api, log);
  if (record) return parseManifest(record.manifest_text);
  const one = { limit: 1, count: 'none' } as const;
  const { items: containers } = await api.list('containers', {
    filters: [['log', '=', log]],
    select: ['uuid'],
    ...one,
  });
  const uuids = containers.map(({ uuid }) => uuid);
  const { items: requests } = await api.list('container_requests', {
    filters: [
      ['container_uuid', 'in', uuids],
      ['log_uuid', '!=', null],
    ],
    select: ['uuid', 'log_uuid'],
    ...one,
  });
  const uuid = requests[0]?.log_uuid;
  if (!uuid) throw missing(log);
  return parseManifest((await api.get('collections', uuid)).manifest_text);
}

const missing = (content: PortableDataHash) =>
  runError('run/input-missing', `no collection on this cluster has the content ${content}`, {
    hint: 'it was deleted, or it belongs to another cluster',
  });

/** Makes sure that some record holds this content, so that a container may mount it. */
export async function ensureCollection(
  api: ClusterApi,
  collection: Collection,
  attributes: Partial<CollectionRecord> = {},
): Promise<void> {
  const page = await api.list('collections', {
    filters: [['portable_data_hash', '=', collection.portableDataHash]],
    select: ['uuid'],
    limit: 1,
    count: 'none',
  });
  if (page.items.length > 0) return;
  await api.create('collections', { ...attributes, manifest_text: collection.manifestText });
}
