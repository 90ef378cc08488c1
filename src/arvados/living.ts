import type { Records, Resource } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';

/** Kinds of records that change by themselves: the others change only when somebody writes them. */
export type LivingResource = 'container_requests' | 'containers';

/** The requests and containers that this process has seen and that have not ended, each as it was last. */
export interface Living {
  /** True when the record was not known to live, and does. */
  note<R extends Resource>(resource: R, record: Records[R]): boolean;
  /** Whether it is another than the last one noted; false for what has ended meanwhile. */
  hasChanged(resource: LivingResource, record: Pick<Records[LivingResource], 'uuid' | 'modified_at'>): boolean;
  uuids(resource: LivingResource): Uuid[];
  isEmpty(): boolean;
}

export function createLiving(): Living {
  const seen = { container_requests: new Map<Uuid, string>(), containers: new Map<Uuid, string>() };
  return {
    note(resource, given) {
      if (resource !== 'container_requests' && resource !== 'containers') return false;
      const record = given as Records[LivingResource];
      const known: Map<Uuid, string> = seen[resource as LivingResource];
      const isNew = !known.has(record.uuid);
      if (hasEnded(record.state)) known.delete(record.uuid);
      else known.set(record.uuid, record.modified_at);
      const container = 'container_uuid' in record && record.state === 'Committed' ? record.container_uuid : null;
      // Not seen yet itself: its first look is told as a change.
      if (container && !seen.containers.has(container)) seen.containers.set(container, '');
      return isNew && known.has(record.uuid);
    },
    hasChanged(resource, { uuid, modified_at }) {
      const before = seen[resource].get(uuid);
      return before !== undefined && before !== modified_at;
    },
    uuids: (resource) => [...seen[resource].keys()],
    isEmpty: () => seen.container_requests.size + seen.containers.size === 0,
  };
}

/** An uncommitted request changes only when it is written. */
const hasEnded = (state: Records[LivingResource]['state']): boolean =>
  state === 'Final' || state === 'Uncommitted' || state === 'Complete' || state === 'Cancelled';
