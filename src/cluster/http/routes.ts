import { apiError } from '../../api/errors.ts';
import type { ListQuery } from '../../api/port.ts';
import type { Container, Resource } from '../../api/records.ts';
import { isPortableDataHash, type Uuid } from '../../core/ids.ts';
import { isJsonObject } from '../../core/json.ts';
import { toNumber } from '../../core/numbers.ts';
import type { Cluster } from '../cluster.ts';
import { hasCollection, readManifest } from '../collections.ts';
import { updateContainer } from '../containers/containers.ts';
import { toKind } from '../query/filters.ts';
import { readRecord } from '../store/records.ts';
import { schemas } from '../store/schema.ts';
import { discoveryDocument } from './discovery.ts';
import { exportedConfig } from './exported-config.ts';
import type { Parameters } from './parameters.ts';
import { toListResponse, toWire } from './responses.ts';

interface Call extends Parameters {
  readonly url: URL;
}

interface Served {
  readonly cluster: Cluster;
  readonly token: string;
}

/** The body of the answer. Fails with the codes of the API. */
export async function route({ cluster, token }: Served, call: Call): Promise<unknown> {
  const clusterId = cluster.store.ownerUuid.slice(0, 5);
  const [root, ...path] = pathParts(call);
  if (root === 'discovery' && call.method === 'GET') return discoveryDocument(call.url.origin, clusterId);
  const [version, name = '', uuid, action] = path;
  if (root !== 'arvados' || version !== 'v1' || path.length > 4) throw noRoute(call);
  if (name === 'users' && uuid === 'current' && call.method === 'GET') return currentUser(cluster);
  if (name === 'config' && call.method === 'GET') return exportedConfig(call.url.origin, clusterId);
  if (name === 'keep_services' && uuid === 'accessible' && call.method === 'GET') return keepServices(clusterId, call);
  if (!Object.hasOwn(schemas, name)) throw noRoute(call);
  const resource = name as Resource;
  if (uuid === undefined) return collectionRoute(cluster, resource, call);
  if (action === undefined) return recordRoute(cluster, resource, uuid as Uuid, call);
  if (resource === 'containers') return containerRoute({ cluster, token }, uuid as Uuid, action, call);
  return actionRoute(cluster, resource, uuid as Uuid, action, call);
}

/** Clients escape the `+` of a hash. */
function pathParts(call: Call): string[] {
  try {
    return call.url.pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    throw noRoute(call);
  }
}

async function collectionRoute(cluster: Cluster, resource: Resource, call: Call): Promise<unknown> {
  if (call.method === 'POST') {
    return toWire(resource, await cluster.create(resource, attributesOf(resource, call)), selectOf(call));
  }
  if (call.method !== 'GET') throw noRoute(call);
  const query = toListQuery(call);
  return toListResponse(resource, query, await cluster.list(resource, query), call.values.count !== 'none');
}

async function recordRoute(cluster: Cluster, resource: Resource, uuid: Uuid, call: Call): Promise<unknown> {
  switch (call.method) {
    case 'GET': {
      if (resource === 'collections' && isPortableDataHash(uuid)) return collectionByHash(cluster, uuid);
      return toWire(resource, await cluster.get(resource, uuid), selectOf(call));
    }
    case 'PUT':
    case 'PATCH':
      return toWire(resource, await cluster.update(resource, uuid, attributesOf(resource, call)), selectOf(call));
    case 'DELETE': {
      const record = await cluster.get(resource, uuid);
      await cluster.remove(resource, uuid);
      return toWire(resource, record, selectOf(call));
    }
    default:
      throw noRoute(call);
  }
}

/** What Arvados has for containers beside the common methods (API, "containers"). */
async function containerRoute({ cluster, token }: Served, uuid: Uuid, action: string, call: Call): Promise<unknown> {
  switch (`${call.method} ${action}`) {
    case 'POST lock':
      return toWire('containers', await lockQueued(cluster, uuid));
    case 'POST unlock':
      return toWire('containers', await cluster.update('containers', uuid, { state: 'Queued' }));
    case 'GET secret_mounts':
      return { secret_mounts: await cluster.secretMounts(uuid) };
    case 'GET auth':
      await cluster.secretMounts(uuid);
      return { kind: 'arvados#apiClientAuthorization', uuid: cluster.store.session.uuid, api_token: token };
    default:
      throw noRoute(call);
  }
}

/** All clients share one session, which may lock again what it has locked: so that only one of them gets the container. */
function lockQueued(cluster: Cluster, uuid: Uuid): Promise<Container> {
  return cluster.store.call(() => {
    const { state } = readRecord(cluster.store, 'containers', uuid);
    if (state === 'Queued') return updateContainer(cluster.store, uuid, { state: 'Locked' });
    throw apiError('api/forbidden-change', `container ${uuid}: expected it to be Queued to lock it, got ${state}`, {
      where: { container: uuid },
    });
  });
}

async function actionRoute(
  cluster: Cluster,
  resource: Resource,
  uuid: Uuid,
  action: string,
  call: Call,
): Promise<unknown> {
  if (resource !== 'container_requests' || action !== 'container_status' || call.method !== 'GET') throw noRoute(call);
  const { container_uuid } = await cluster.get('container_requests', uuid);
  const container = container_uuid === null ? undefined : await cluster.get('containers', container_uuid);
  return { uuid: container_uuid, state: container?.state ?? null, scheduling_status: '' };
}

/** The server itself is the one keepstore; as a proxy it is asked once for all copies. */
function keepServices(clusterId: string, { url }: Call): object {
  const service = {
    uuid: `${clusterId}-bi6l4-000000000000000`,
    service_host: url.hostname,
    service_port: Number(url.port),
    service_ssl_flag: url.protocol === 'https:',
    service_type: 'proxy',
    read_only: false,
  };
  return { kind: 'arvados#keepServiceList', items: [service], items_available: 1 };
}

/** A content has no record of its own: Arvados answers with the attributes that belong to it. */
function collectionByHash(cluster: Cluster, hash: string): unknown {
  const manifest_text = hasCollection(cluster.store, hash) ? readManifest(cluster.store, hash) : undefined;
  if (manifest_text !== undefined) return { kind: toKind('collections'), portable_data_hash: hash, manifest_text };
  throw apiError('api/not-found', `collections has no content ${hash}`);
}

const currentUser = (cluster: Cluster) => ({
  kind: 'arvados#user',
  uuid: cluster.store.ownerUuid,
  full_name: 'Embedded cluster',
  is_active: true,
  is_admin: true,
});

/** The record stands under its singular name, `{"collection": {…}}`, or is the body itself. */
function attributesOf(resource: Resource, call: Call): Record<string, never> {
  const given = call.values[resource.slice(0, -1)] ?? withoutOptions(call.values);
  if (isJsonObject(given)) {
    return Object.fromEntries(Object.entries(given).filter(([name]) => !unkept.has(name))) as Record<string, never>;
  }
  throw apiError('api/bad-attribute', `expected ${resource.slice(0, -1)} to be an object`);
}

/** What clients of Arvados say of a collection, and an embedded cluster has no choice of: there is one copy in one place. */
const unkept = new Set(['replication_desired', 'storage_classes_desired', 'preserve_version']);

const options = new Set(['_method', 'select', 'ensure_unique_name', 'cluster_id', 'alt', 'api_token']);

function withoutOptions(values: Parameters['values']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !options.has(name)));
}

function toListQuery(call: Call): ListQuery {
  const { filters, order, limit, offset } = call.values;
  const select = selectOf(call);
  if (filters !== undefined && filters !== null && !Array.isArray(filters))
    throw badQuery('filters', 'an array', filters);
  const orders = typeof order === 'string' ? order.split(',') : order;
  if (orders !== undefined && orders !== null && !Array.isArray(orders)) throw badQuery('order', 'an array', order);
  return {
    filters: filters ?? [],
    order: orders ?? [],
    ...(limit === undefined || limit === null ? {} : { limit: toNumber(limit) as number }),
    ...(offset === undefined || offset === null ? {} : { offset: toNumber(offset) as number }),
    ...(select === undefined ? {} : { select }),
  };
}

function selectOf(call: Call): readonly string[] | undefined {
  const { select } = call.values;
  if (select === undefined || select === null) return undefined;
  if (Array.isArray(select) && select.every((name) => typeof name === 'string')) return select;
  throw badQuery('select', 'an array of names', select);
}

const badQuery = (name: string, expected: string, got: unknown) =>
  apiError('api/bad-filter', `expected ${name} to be ${expected}, got ${JSON.stringify(got)}`);

const noRoute = (call: Call) => apiError('api/not-found', `nothing is at ${call.method} ${call.url.pathname}`);
