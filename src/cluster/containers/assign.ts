import type { ContainerRequest, Mounts } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Attributes } from '../store/attributes.ts';
import { insertRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { resolveWork } from './resolve.ts';
import { findReusable } from './reuse.ts';
import { wantsOf } from './wants.ts';
import { toReuseKey, toSecretMountsKey, toWorkIdentity } from './work.ts';

export interface Assigned {
  readonly container: Uuid;
  readonly isNew: boolean;
}

/** The container that satisfies the request: an earlier one where reuse allows it, or a new one in the queue. */
export function assignContainer(store: Store, request: ContainerRequest, secretMounts: Mounts): Assigned {
  const { work, secretMountsKey, reuseKey, reusable } = findEqual(store, request, secretMounts);
  if (reusable !== undefined) return { container: reusable, isNew: false };
  const attributes: Attributes = {
    ...work,
    owner_uuid: request.owner_uuid,
    state: 'Queued',
    priority: request.priority,
  };
  const { ram, cores } = wantsOf(work);
  const { uuid } = insertRecord(store, 'containers', attributes, {
    secret_mounts: JSON.stringify(secretMounts),
    reuse_key: reuseKey,
    secret_mounts_key: secretMountsKey,
    ram,
    vcpus: cores,
  });
  return { container: uuid, isNew: true };
}

/** The work of the request and what names it, and an earlier container that has done it or is about to. Reads only. */
export function findEqual(store: Store, request: ContainerRequest, secretMounts: Mounts) {
  const work = resolveWork(store, request);
  const secretMountsKey = toSecretMountsKey(store, secretMounts);
  const reuseKey = toReuseKey(toWorkIdentity(store, work, secretMountsKey));
  const reusable = request.use_existing ? findReusable(store, reuseKey) : undefined;
  return { work, secretMountsKey, reuseKey, reusable };
}
