import { apiError } from '../api/errors.ts';
import type { ClusterApi } from '../api/port.ts';
import type { Mounts, Records, Resource } from '../api/records.ts';
import type { ReuseExplainer, ReusePreview } from '../api/reuse.ts';
import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import type { Uuid } from '../core/ids.ts';
import { createCollection, emptyTrash, trashCollection, updateCollection } from './collections.ts';
import { readContainerSecrets, updateContainer } from './containers/containers.ts';
import { explainReuse } from './containers/explain.ts';
import { markInterrupted } from './containers/interrupted.ts';
import { previewReuse } from './containers/preview.ts';
import { createRequest, removeRequest, updateRequest } from './containers/requests.ts';
import { listRecords } from './query/list.ts';
import { createSimple, removeSimple, updateSimple } from './simple-records.ts';
import type { Attributes } from './store/attributes.ts';
import { readRecord } from './store/records.ts';
import { openStore, type Store } from './store/store.ts';

export interface ClusterOptions {
  /** The SQLite file, made when it is not there, or `:memory:`. */
  readonly path: string;
  readonly clock?: Clock;
  /** Nothing of an existing file is changed: every call that would fails. Default false. */
  readonly readOnly?: boolean;
}

/** The embedded cluster: the records of one home. Any number of processes may have it open. */
export interface Cluster extends ClusterApi, ReuseExplainer, ReusePreview {
  readonly store: Store;
  /** Secret mounts of a container that this session has locked; `api/not-authorized` for any other. */
  secretMounts(container: Uuid): Promise<Mounts>;
  close(): void;
}

export function openCluster(options: ClusterOptions): Cluster {
  const store = openStore(options.path, options.clock ?? systemClock());
  if (options.readOnly) store.db.exec('PRAGMA query_only = ON');
  else {
    emptyTrash(store);
    markInterrupted(store);
  }
  return {
    store,
    get: async (resource, uuid, options) => readRecord(store, resource, uuid, options?.select),
    list: async (resource, query) => listRecords(store, resource, query),
    create: (resource, attributes, options) => store.call(() => create(store, resource, attributes, options?.select)),
    update: (resource, uuid, attributes, options) =>
      store.call(() => update(store, resource, uuid, attributes, options?.select), options),
    remove: (resource, uuid) => store.call(() => remove(store, resource, uuid)),
    watch: store.watch,
    explainReuse: async (request) => explainReuse(store, request),
    previewReuse: async (attributes) => previewReuse(store, attributes as Attributes),
    secretMounts: async (container) => readContainerSecrets(store, container),
    close: store.close,
  };
}

function create<R extends Resource>(
  store: Store,
  resource: R,
  attributes: Partial<Records[R]>,
  select?: readonly string[],
): Records[R] {
  const given = attributes as Attributes;
  const make = (): Records[Resource] => {
    switch (resource) {
      case 'collections':
        return createCollection(store, given, select);
      case 'container_requests':
        return createRequest(store, given);
      case 'containers':
        throw apiError('api/forbidden-change', 'containers are made by the cluster', {
          hint: 'create a container request in state Committed with a priority above 0',
        });
      default:
        return createSimple(store, resource, given);
    }
  };
  return make() as Records[R];
}

function update<R extends Resource>(
  store: Store,
  resource: R,
  uuid: Uuid,
  attributes: Partial<Records[R]>,
  select?: readonly string[],
): Records[R] {
  const given = attributes as Attributes;
  const change = (): Records[Resource] => {
    switch (resource) {
      case 'collections':
        return updateCollection(store, uuid, given);
      case 'container_requests':
        return updateRequest(store, uuid, given);
      case 'containers':
        return updateContainer(store, uuid, given, select);
      default:
        return updateSimple(store, resource, uuid, given);
    }
  };
  return change() as Records[R];
}

function remove(store: Store, resource: Resource, uuid: Uuid): void {
  if (resource === 'collections') trashCollection(store, uuid);
  else if (resource === 'container_requests') removeRequest(store, uuid);
  else if (resource !== 'containers') removeSimple(store, resource, uuid);
  else {
    throw apiError('api/forbidden-change', 'containers cannot be removed: requests and results refer to them', {
      where: { container: uuid },
    });
  }
}
