import type { ClusterApi, Filter, ListPage, ListQuery } from '../../api/port.ts';
import type { Container, ContainerRequest, Records, Resource } from '../../api/records.ts';
import type { PortableDataHash, Uuid } from '../../core/ids.ts';
import {
  containerProperty,
  isOurs,
  outputProperty,
  toContainer,
  toRequestUuid,
  toShownRequest,
  workKeyProperty,
} from './record.ts';

type Cluster = Pick<ClusterApi, 'list'>;

/** The newest that did this work and whose image is still there. */
export async function findEarlier(cluster: Cluster, key: string | undefined): Promise<ContainerRequest | undefined> {
  if (key === undefined) return undefined;
  const { items } = await cluster.list('container_requests', {
    filters: [
      [`properties.${workKeyProperty}`, '=', key],
      [`properties.${outputProperty}`, 'exists', true],
    ],
    order: ['created_at desc'],
    limit: 20,
    count: 'none',
  });
  for (const request of items) {
    const { output } = toContainer(request);
    if (output !== null && (await hasContent(cluster, output))) return request;
  }
  return undefined;
}

async function hasContent(cluster: Cluster, content: PortableDataHash): Promise<boolean> {
  const query = { filters: [['portable_data_hash', '=', content]], select: ['uuid'], limit: 1, count: 'none' } as const;
  return (await cluster.list('collections', query)).items.length > 0;
}

/** A list of the cluster, with what this machine did for it where the filters ask for that: by output, container or uuid. */
export async function listWithOurs<R extends Resource>(
  cluster: Cluster,
  resource: R,
  query: ListQuery,
): Promise<ListPage<Records[R]>> {
  const page = await cluster.list(resource, query);
  const known =
    resource === 'container_requests' && (query.select?.includes('properties') ?? true)
      ? { ...page, items: page.items.map((item) => toShownRequest(item as ContainerRequest) as Records[R]) }
      : page;
  const more = (await listOurs(cluster, resource, query.filters ?? [])) as readonly Records[R][];
  if (more.length === 0) return known;
  const itemsAvailable = page.itemsAvailable + more.length;
  // They follow those of the cluster, on its last page.
  const isLast = (query.offset ?? 0) + page.items.length >= page.itemsAvailable;
  return { items: isLast ? [...known.items, ...more] : known.items, itemsAvailable };
}

async function listOurs(
  cluster: Cluster,
  resource: Resource,
  filters: readonly Filter[],
): Promise<readonly (Container | ContainerRequest)[]> {
  if (resource === 'containers') {
    const by = filters.find(([name]) => name === 'output' || name === 'uuid');
    if (by === undefined) return [];
    const requests = by[0] === 'output' ? await byOutput(cluster, by) : await byUuid(cluster, by);
    return requests.map(toContainer).filter((container) => fitsState(container, filters));
  }
  const by = resource === 'container_requests' ? filters.find(([name]) => name === 'container_uuid') : undefined;
  return by ? (await byUuid(cluster, by)).map(toShownRequest) : [];
}

const fitsState = ({ state }: Container, filters: readonly Filter[]): boolean =>
  filters.every(([name, operator, operand]) => name !== 'state' || (operator === '=' && operand === state));

const byOutput = (cluster: Cluster, [, operator, operand]: Filter): Promise<ContainerRequest[]> =>
  operator === '=' || operator === 'in'
    ? listRequests(cluster, [`properties.${outputProperty}`, operator, operand])
    : none;

function byUuid(cluster: Cluster, [, operator, operand]: Filter): Promise<ContainerRequest[]> {
  const uuids =
    operator === '=' ? [operand] : operator === 'in' && Array.isArray(operand) ? (operand as unknown[]) : [];
  const requests = uuids.filter((uuid) => typeof uuid === 'string').map((uuid) => toRequestUuid(uuid as Uuid));
  return requests.length === 0 ? none : listRequests(cluster, ['uuid', 'in', requests]);
}

const none: Promise<ContainerRequest[]> = Promise.resolve([]);

async function listRequests(cluster: Cluster, filter: Filter): Promise<ContainerRequest[]> {
  const filters: Filter[] = [filter, [`properties.${containerProperty}`, 'exists', true]];
  const { items } = await cluster.list('container_requests', { filters, order: ['created_at', 'uuid'], limit: 1000 });
  return items.filter(isOurs);
}
