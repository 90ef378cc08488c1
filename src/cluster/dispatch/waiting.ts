import type { Uuid } from '../../core/ids.ts';
import { mib } from '../../core/units.ts';
import { finishContainer } from '../containers/lifecycle.ts';
import { isWithin, type Wants } from '../containers/wants.ts';
import { updateRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Capacity } from './room.ts';

/** A container in the queue. */
export interface Waiting extends Wants {
  readonly uuid: Uuid;
  readonly lockCount: number;
}

/** `own`: only what this session waits for; `all`: whatever is queued. */
export type Scope = 'own' | 'all';

/** Of one look at the queue; the next one continues. */
const windowSize = 1_000;

/** Highest priority first, then oldest, as far as `visit` returns true. */
export function forEachWaiting(store: Store, scope: Scope, visit: (waiting: Waiting) => boolean): void {
  const [sql, parameters] = scope === 'all' ? [queued(''), []] : [queued(`AND ${wanted}`), [store.session.uuid]];
  store.db.each(sql, parameters, (row) =>
    visit({
      uuid: row.uuid as Uuid,
      ram: Number(row.ram),
      cores: Number(row.vcpus),
      lockCount: Number(row.lock_count),
    }),
  );
}

const queued = (condition: string) => `
  SELECT uuid, ram, vcpus, lock_count FROM containers
  WHERE state = 'Queued' AND priority > 0 ${condition} ORDER BY priority DESC, id LIMIT ${windowSize}`;

const wanted = `EXISTS (
  SELECT 1 FROM container_requests r
  WHERE r.container_uuid = containers.uuid AND r.state = 'Committed' AND r.priority > 0 AND r.session = ?)`;

export const isTooLarge = (wants: Wants, { ramBytes, vcpus }: Capacity) =>
  !isWithin(wants, { ram: ramBytes, cores: vcpus });

/** Inside `store.write`. */
export function warnTooLarge(store: Store, waiting: Waiting, capacity: Capacity): void {
  const warning = `${tooLargeText(waiting, capacity)}: runs alone`;
  updateRecord(store, 'containers', waiting.uuid, { runtime_status: { warning } });
}

/** Ends what can never start. */
export function failTooLarge(store: Store, scope: Scope, capacity: Capacity): void {
  const find = () => {
    const found: Waiting[] = [];
    forEachWaiting(store, scope, (waiting) => {
      if (isTooLarge(waiting, capacity)) found.push(waiting);
      return true;
    });
    return found;
  };
  if (find().length === 0) return;
  store.write(() => {
    for (const waiting of find()) {
      const runtime_status = { error: tooLargeText(waiting, capacity), retryable: false };
      finishContainer(store, waiting.uuid, { state: 'Cancelled', runtime_status });
    }
  });
}

function tooLargeText(waiting: Waiting, capacity: Capacity): string {
  const has = { ram: capacity.ramBytes, cores: capacity.vcpus };
  return `asks for ${describe(waiting)}, this machine has ${describe(has)}`;
}

const describe = ({ ram, cores }: Wants) => `${Math.ceil(ram / mib)} MiB of memory and ${cores} cores`;
