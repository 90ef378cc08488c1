import type { ClusterApi, ListQuery } from '../../api/port.ts';
import type { CollectionRecord, ContainerRequest, Records, Resource } from '../../api/records.ts';
import type { ReusePreview } from '../../api/reuse.ts';
import type { PortableDataHash, Uuid } from '../../core/ids.ts';
import { portableDataHash } from '../../keep/manifest.ts';

/** Thrown where a run would submit work that no earlier container has done. */
export class WouldSubmit extends Error {
  readonly attributes: Partial<ContainerRequest>;
  /** An equal container that is under way: its outputs are not known yet. */
  readonly container: Uuid | undefined;

  constructor(attributes: Partial<ContainerRequest>, container: Uuid | undefined) {
    super(`would submit ${attributes.name ?? 'a request'}`);
    this.attributes = attributes;
    this.container = container;
  }
}

/** Thrown where a run would put the image of an archive into Keep. */
export class WouldStoreImage extends Error {}

/**
 * The cluster as a run sees it, without changing it: new collections stay in memory, a request that an earlier container
 * satisfies is final at once, and any other is `WouldSubmit`.
 */
export function createDryCluster(cluster: ClusterApi & ReusePreview): ClusterApi {
  const collections = new Map<PortableDataHash, CollectionRecord>();
  const requests = new Map<Uuid, ContainerRequest>();

  function createCollection(attributes: Partial<CollectionRecord>): CollectionRecord {
    const hash = portableDataHash(attributes.manifest_text ?? '');
    const record = { ...attributes, portable_data_hash: hash, uuid: newUuid('4zz18', collections.size) };
    collections.set(hash, record as CollectionRecord);
    return record as CollectionRecord;
  }

  async function submit(attributes: Partial<ContainerRequest>): Promise<ContainerRequest> {
    const uuid = await cluster.previewReuse(attributes);
    const container = uuid && (await cluster.get('containers', uuid));
    if (container?.state !== 'Complete') throw new WouldSubmit(attributes, uuid);
    const request = {
      properties: {},
      ...attributes,
      uuid: newUuid('xvhdp', requests.size),
      state: 'Final',
      container_uuid: container.uuid,
      output_uuid: null,
    } as ContainerRequest;
    requests.set(request.uuid, request);
    return request;
  }

  async function create<R extends Resource>(resource: R, attributes: Partial<Records[R]>): Promise<Records[R]> {
    if (resource === 'collections') return createCollection(attributes) as Records[R];
    if (resource === 'container_requests') return (await submit(attributes as Partial<ContainerRequest>)) as Records[R];
    throw refusal(`create ${resource}`);
  }

  async function list<R extends Resource>(resource: R, query: ListQuery) {
    const made = resource === 'collections' ? collections.get(contentAskedFor(query) as PortableDataHash) : undefined;
    return made ? { items: [made as Records[R]], itemsAvailable: 1 } : cluster.list(resource, query);
  }

  return {
    list,
    create,
    get: async (resource, uuid) =>
      (resource === 'container_requests' && (requests.get(uuid) as Records[typeof resource])) ||
      cluster.get(resource, uuid),
    // What a server says of a download is looked at and not kept.
    update: async (resource, uuid) => {
      if (resource !== 'collections') throw refusal(`update ${resource}`);
      const made = [...collections.values()].find((record) => record.uuid === uuid);
      return (made as Records[typeof resource] | undefined) ?? cluster.get(resource, uuid);
    },
    remove: async (resource) => Promise.reject(refusal(`remove ${resource}`)),
    watch: () => () => {},
  };
}

/** Content is always asked for by this filter alone (`run/collections.ts`). */
function contentAskedFor({ filters = [] }: ListQuery): unknown {
  const [attribute, operator, operand] = filters[0] ?? [];
  return attribute === 'portable_data_hash' && operator === '=' ? operand : undefined;
}

/** Uuids of no cluster: the ids of embedded ones begin with an h. */
const newUuid = (infix: string, index: number): Uuid => `xplan-${infix}-${String(index).padStart(15, '0')}` as Uuid;

const refusal = (doing: string) => new Error(`a plan changes nothing, but was to ${doing}`);
