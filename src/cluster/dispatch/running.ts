import type { Container } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Capacity } from './queue.ts';

/** A container that this process has locked. */
export interface Running {
  readonly container: Container;
  readonly controller: AbortController;
  readonly done: Promise<void>;
  /** The one whose room it is to take. */
  readonly leader: Uuid | undefined;
  hasTurn: boolean;
  readonly resolve: () => void;
}

/** Locked, and waiting for its turn. */
export const isReady = ({ hasTurn }: Running) => !hasTurn;

export function begin(one: Running): void {
  one.hasTurn = true;
  one.resolve();
}

/** Those that run and have no follower yet. */
export function findLeaders(running: ReadonlyMap<Uuid, Running>, ended: ReadonlySet<Uuid>): Container[] {
  const followed = new Set([...running.values()].filter(isReady).map(({ leader }) => leader));
  return [...running.values()]
    .filter((one) => one.hasTurn && !ended.has(one.container.uuid) && !followed.has(one.container.uuid))
    .map(({ container }) => container);
}

/** Whether those of this process leave no room, whatever others do: nothing need be looked up then. */
export function isFull(capacity: Capacity, running: ReadonlyMap<Uuid, Running>, ended: readonly Uuid[]): boolean {
  const busy = [...running.values()].map(({ container }) => container).filter(({ uuid }) => !ended.includes(uuid));
  const sum = (name: 'ram' | 'vcpus') =>
    busy.reduce((total, { runtime_constraints }) => total + runtime_constraints[name], 0);
  return busy.length > 0 && (sum('ram') >= capacity.ramBytes || sum('vcpus') >= capacity.vcpus);
}
