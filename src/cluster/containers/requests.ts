import { apiError } from '../../api/errors.ts';
import type { ContainerRequest, Mounts } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { type Attributes, checkAttributes, show } from '../store/attributes.ts';
import { type HiddenColumns, insertRecord, readRecord, updateRecord } from '../store/records.ts';
import { schemas } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { assignContainer } from './assign.ts';
import { assign, join, readSecretMounts, updatePriority } from './lifecycle.ts';
import { validateRequest } from './validate.ts';

const table = 'container_requests';

export function createRequest(store: Store, given: Attributes): ContainerRequest {
  const attributes = completeRequest(store, given);
  const request = attributes as unknown as ContainerRequest;
  return store.write(() => {
    const commits = request.state === 'Committed' && request.priority > 0;
    const assigned = commits ? assignContainer(store, request, request.secret_mounts) : undefined;
    const link = assigned && { container_uuid: assigned.container, container_count: 1 };
    const made = insertRecord(store, table, { ...attributes, ...link }, waitingSession(store, request));
    if (assigned === undefined || assigned.isNew) return made;
    join(store, made.uuid, assigned.container);
    return readRecord(store, table, made.uuid);
  });
}

/** The attributes of a new request with its defaults, checked. */
export function completeRequest(store: Store, given: Attributes): Attributes {
  const attributes = { ...defaults, owner_uuid: store.ownerUuid, ...checkAttributes(table, given) };
  const request = attributes as unknown as ContainerRequest;
  if (request.state === 'Final') throw forbidden('a request is not made Final by its client', 'state');
  validateRequest(request);
  return attributes;
}

export function updateRequest(store: Store, uuid: Uuid, given: Attributes): ContainerRequest {
  return store.write(() => {
    const current = readRecord(store, table, uuid);
    const changes = checkAttributes(table, given, (name) => (current as unknown as Attributes)[name]);
    if (current.state === 'Uncommitted') updateUncommitted(store, current, changes);
    else updateCommitted(store, current, changes);
    return readRecord(store, table, uuid);
  });
}

export function removeRequest(store: Store, uuid: Uuid): void {
  store.write(() => {
    const request = readRecord(store, table, uuid);
    store.db.run(`DELETE FROM ${table} WHERE uuid = ?`, uuid);
    store.changed(table, uuid);
    if (request.state === 'Committed' && request.container_uuid !== null) updatePriority(store, request.container_uuid);
  });
}

function updateUncommitted(store: Store, current: ContainerRequest, changes: Attributes): void {
  const secretMounts = (changes.secret_mounts as Mounts | undefined) ?? readSecretMounts(store, current.uuid);
  const request = { ...current, ...changes, secret_mounts: secretMounts } as ContainerRequest;
  if (request.state === 'Final') throw forbidden('a request is not made Final by its client', 'state');
  validateRequest(request);
  updateRecord(store, table, current.uuid, changes, waitingSession(store, request));
  if (request.state === 'Committed' && request.priority > 0) assign(store, request, secretMounts);
}

/** Arvados API, container_requests, "state": what may change once the request is committed, and once it is final. */
const committedChanges = new Set(['priority', 'container_count_max', 'name', 'description', 'properties']);
const finalChanges = new Set(['name', 'description', 'properties']);

function updateCommitted(store: Store, current: ContainerRequest, given: Attributes): void {
  const changes = changed(current, given);
  const allowed = current.state === 'Final' ? finalChanges : committedChanges;
  const refused = Object.keys(changes).find((name) => !allowed.has(name));
  if (refused !== undefined) {
    throw forbidden(`${refused} cannot change once a request is ${current.state}`, refused, current.uuid);
  }
  const request = { ...current, ...changes } as ContainerRequest;
  validateRequest(request);
  updateRecord(store, table, current.uuid, changes);
  if (request.priority === current.priority) return;
  if (request.container_uuid !== null) updatePriority(store, request.container_uuid);
  else if (request.priority > 0) assign(store, request, readSecretMounts(store, request.uuid));
}

/** Who commits a request waits for it, and its dispatcher works for it; who makes the record of a run is its runner. */
function waitingSession(store: Store, request: ContainerRequest): HiddenColumns {
  if (request.state !== 'Committed' && request.properties['hm:status'] !== 'running') return {};
  store.session.register();
  return { session: store.session.uuid };
}

const defaults = Object.fromEntries(
  Object.entries(schemas[table].attributes)
    .filter(([, attribute]) => attribute.initial !== undefined)
    .map(([name, attribute]) => [name, attribute.initial]),
);

function changed(current: ContainerRequest, given: Attributes): Attributes {
  const before = current as unknown as Attributes;
  const entries = Object.entries(given).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  );
  return Object.fromEntries(entries);
}

function forbidden(message: string, field: string, uuid?: Uuid) {
  return apiError('api/forbidden-change', `container_requests: ${message}`, {
    where: { field, ...(uuid === undefined ? {} : { container: uuid }) },
    hint: `make a new request instead of changing ${show(field)}`,
  });
}
