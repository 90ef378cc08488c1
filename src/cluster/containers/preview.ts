import type { ContainerRequest } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Attributes } from '../store/attributes.ts';
import type { Store } from '../store/store.ts';
import { findEqual } from './assign.ts';
import { completeRequest } from './requests.ts';

/** The container that would satisfy a request with these attributes, were it made now. Reads only. */
export function previewReuse(store: Store, given: Attributes): Uuid | undefined {
  const request = completeRequest(store, given) as unknown as ContainerRequest;
  return findEqual(store, request, request.secret_mounts).reusable;
}
