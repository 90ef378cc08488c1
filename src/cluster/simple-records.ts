import type { Records, Resource } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import { type Attributes, checkAttributes } from './store/attributes.ts';
import { insertRecord, readRecord, updateRecord } from './store/records.ts';
import type { Store } from './store/store.ts';

/** Records that have no states: links, logs and workflows. */
export type SimpleResource = 'links' | 'logs' | 'workflows';

export function createSimple<R extends SimpleResource>(store: Store, resource: R, given: Attributes): Records[R] {
  const attributes = checkAttributes(resource, given);
  const times = resource === 'logs' ? { event_at: store.now() } : {};
  // Read back: the number of a log is the store's.
  return store.write(() =>
    readRecord(store, resource, insertRecord(store, resource, { ...times, ...attributes }).uuid),
  );
}

export function updateSimple<R extends SimpleResource>(
  store: Store,
  resource: R,
  uuid: Uuid,
  given: Attributes,
): Records[R] {
  return store.write(() => {
    const current = readRecord(store, resource, uuid);
    updateRecord(
      store,
      resource,
      uuid,
      checkAttributes(resource, given, (name) => (current as unknown as Attributes)[name]),
    );
    return readRecord(store, resource, uuid);
  });
}

export function removeSimple(store: Store, resource: Resource, uuid: Uuid): void {
  store.write(() => {
    readRecord(store, resource, uuid);
    store.db.run(`DELETE FROM ${resource} WHERE uuid = ?`, uuid);
    store.changed(resource, uuid);
  });
}
