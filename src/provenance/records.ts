import type { ClusterApi, ListQuery } from '../api/port.ts';
import type { CollectionRecord, Container, ContainerRequest, Records, Resource } from '../api/records.ts';
import type { PortableDataHash, Uuid } from '../core/ids.ts';
import type { Collection } from '../keep/collection.ts';
import { parseManifest } from '../keep/manifest.ts';

const pageSize = 1000;

/** Every record that fits, oldest first. */
export async function listAll<R extends Resource>(
  api: ClusterApi,
  resource: R,
  query: Omit<ListQuery, 'limit' | 'offset' | 'order'>,
): Promise<Records[R][]> {
  const records: Records[R][] = [];
  for (;;) {
    const page = await api.list(resource, {
      ...query,
      order: ['created_at', 'uuid'],
      limit: pageSize,
      offset: records.length,
    });
    records.push(...page.items);
    if (page.items.length === 0 || records.length >= page.itemsAvailable) return records;
  }
}

/** The collection records with this content, the oldest first, without their manifests. */
export function listCollections(api: ClusterApi, portableDataHash: PortableDataHash): Promise<CollectionRecord[]> {
  return listAll(api, 'collections', { filters: [['portable_data_hash', '=', portableDataHash]] });
}

/** The collection without files, which any container may have as its output: it tells nothing of where it comes from. */
const emptyCollection = 'd41d8cd98f00b204e9800998ecf8427e+0';

export const isEmptyCollection = (portableDataHash: PortableDataHash) => portableDataHash === emptyCollection;

/** The containers that made this content, those that ended well only. */
export async function listProducers(api: ClusterApi, portableDataHash: PortableDataHash): Promise<Container[]> {
  if (isEmptyCollection(portableDataHash)) return [];
  return listAll(api, 'containers', {
    filters: [
      ['output', '=', portableDataHash],
      ['state', '=', 'Complete'],
    ],
  });
}

/** The requests that these containers satisfied, the oldest first of each thousand containers. */
export async function listRequestsOf(api: ClusterApi, ...containers: readonly Uuid[]): Promise<ContainerRequest[]> {
  const requests: ContainerRequest[] = [];
  for (let start = 0; start < containers.length; start += pageSize) {
    const some = containers.slice(start, start + pageSize);
    requests.push(...(await listAll(api, 'container_requests', { filters: [['container_uuid', 'in', some]] })));
  }
  return requests;
}

/** The files of a collection; undefined when no record has this content any more. */
export async function readCollection(
  api: ClusterApi,
  portableDataHash: PortableDataHash,
): Promise<Collection | undefined> {
  const page = await api.list('collections', {
    filters: [['portable_data_hash', '=', portableDataHash]],
    select: ['uuid', 'portable_data_hash', 'manifest_text'],
    limit: 1,
  });
  const [record] = page.items;
  return record && parseManifest(record.manifest_text);
}

/** The collections that a container read, each with the places it was mounted at. */
export function inputsOf(container: Pick<Container, 'mounts'>): Map<PortableDataHash, readonly string[]> {
  const inputs = new Map<PortableDataHash, readonly string[]>();
  for (const [target, mount] of Object.entries(container.mounts)) {
    if (mount.kind !== 'collection' || !mount.portable_data_hash) continue;
    inputs.set(mount.portable_data_hash, [...(inputs.get(mount.portable_data_hash) ?? []), target]);
  }
  return inputs;
}
