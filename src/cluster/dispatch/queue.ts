import type { Container } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { mib } from '../../core/units.ts';
import { lockContainer } from '../containers/containers.ts';
import { finishContainer } from '../containers/lifecycle.ts';
import { readRecord, updateRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** What this machine has for containers: of all processes that share the home together. */
export interface Capacity {
  readonly ramBytes: number;
  readonly vcpus: number;
}

export interface QueueOptions {
  readonly capacity: Capacity;
  /** `own`: only what this session waits for; `all`: whatever is queued. */
  readonly scope: 'own' | 'all';
  /** What becomes of a container that asks for more than `capacity`. */
  readonly whenTooLarge: 'run-alone' | 'fail';
}

/** Picks containers from the queue: highest priority first, then oldest. */
export interface Queue {
  /** Whether `lockNext` would lock any; what can never start is failed first, where that is asked for. */
  hasNext(ended?: readonly Uuid[]): boolean;
  /**
   * Locks at most `count` that fit beside what runs on this machine already; one transaction.
   * Those of `ended` take no room, whatever their records say.
   */
  lockNext(count: number, ended?: readonly Uuid[]): Container[];
  /** Whether `lockFollowers` would lock any. */
  hasFollowers(leaders: readonly Container[]): boolean;
  /** Locks the next ones, at most one to follow each of the leaders in its room; none while a larger one waits for more room. */
  lockFollowers(leaders: readonly Container[]): Follower[];
  /** Which of the containers that are locked already fit beside what runs, all of them together; they are among `idle`. */
  fitting(locked: readonly Container[], idle: readonly Uuid[]): readonly Container[];
}

/** A locked container and the one in whose room it is to run. */
export interface Follower {
  readonly container: Container;
  readonly leader: Uuid;
}

/** Enough to fill a machine at once; the next look continues. */
const windowSize = 64;
/** How often smaller containers may pass one that does not fit, before the room is kept for it. */
const maxPasses = 16;

interface Waiting {
  readonly uuid: Uuid;
  readonly ram: number;
  readonly vcpus: number;
  readonly lockCount: number;
}

export function createQueue(store: Store, options: QueueOptions): Queue {
  let passed: { uuid: Uuid; times: number } | undefined;
  const select = (count: number, ended: readonly Uuid[]): Waiting[] => {
    const room = freeRoom(store, options.capacity, ended);
    if (!room.isEmpty && (room.ramBytes <= 0 || room.vcpus <= 0)) return [];
    const started: Waiting[] = [];
    forEachWaiting(store, options.scope, (waiting) => {
      if (takesRoom(waiting, room)) {
        started.push(waiting);
        return started.length < count && room.ramBytes > 0 && room.vcpus > 0;
      }
      if (room.isEmpty && started.length === 0 && isTooLarge(waiting, options.capacity)) {
        started.push(waiting);
        return false;
      }
      passed ??= { uuid: waiting.uuid, times: 0 };
      return passed.uuid !== waiting.uuid || passed.times < maxPasses;
    });
    return started;
  };
  const lock = (waiting: Waiting, isTry = true): Container => {
    lockContainer(store, waiting.uuid, waiting.lockCount, isTry);
    if (isTooLarge(waiting, options.capacity)) warnTooLarge(store, waiting, options.capacity);
    if (passed?.uuid === waiting.uuid) passed = undefined;
    else if (passed !== undefined) passed.times += 1;
    return readRecord(store, 'containers', waiting.uuid);
  };
  const selectFollowers = (running: readonly Container[]): { waiting: Waiting; leader: Uuid }[] => {
    const leaders = [...running];
    const found: { waiting: Waiting; leader: Uuid }[] = [];
    if (passed !== undefined || leaders.length === 0) return found;
    forEachWaiting(store, options.scope, (waiting) => {
      const index = leaders.findIndex(({ runtime_constraints: { ram, vcpus } }) =>
        fits(waiting, { ramBytes: ram, vcpus }),
      );
      const [leader] = index < 0 ? [] : leaders.splice(index, 1);
      if (leader) found.push({ waiting, leader: leader.uuid });
      return leader !== undefined && leaders.length > 0;
    });
    return found;
  };
  return {
    hasFollowers: (leaders) => selectFollowers(leaders).length > 0,
    lockFollowers: (leaders) =>
      store.write(() => {
        // The room of one that has ended meanwhile may be another process's by now.
        const holders = new Set(store.db.all(active).map(({ uuid }) => uuid));
        const found = selectFollowers(leaders.filter(({ uuid }) => holders.has(uuid)));
        return found.map(({ waiting, leader }) => ({ container: lock(waiting, false), leader }));
      }),
    fitting: (locked, idle) => {
      const room = freeRoom(store, options.capacity, idle);
      return locked.filter(({ runtime_constraints }) => takesRoom(runtime_constraints, room));
    },
    hasNext: (ended = []) => {
      if (options.whenTooLarge === 'fail') failTooLarge(store, options);
      return select(1, ended).length > 0;
    },
    lockNext: (count, ended = []) => store.write(() => select(count, ended).map((waiting) => lock(waiting))),
  };
}

interface Room {
  ramBytes: number;
  vcpus: number;
  readonly isEmpty: boolean;
}

function freeRoom(store: Store, capacity: Capacity, ended: readonly Uuid[]): Room {
  const free = new Set<string>(ended);
  const used = store.db.all(active).filter(({ uuid }) => !free.has(String(uuid)));
  const sum = (name: 'ram' | 'vcpus') => used.reduce((total, row) => total + Number(row[name]), 0);
  return {
    ramBytes: capacity.ramBytes - sum('ram'),
    vcpus: capacity.vcpus - sum('vcpus'),
    isEmpty: used.length === 0,
  };
}

const active = `SELECT uuid, ram, vcpus FROM containers WHERE state IN ('Locked', 'Running')`;

type Wants = Pick<Waiting, 'ram' | 'vcpus'>;

const fits = (wants: Wants, room: Capacity) => wants.ram <= room.ramBytes && wants.vcpus <= room.vcpus;

/** Whether it fits; the room is so much less then. */
function takesRoom(wants: Wants, room: Room): boolean {
  if (!fits(wants, room)) return false;
  room.ramBytes -= wants.ram;
  room.vcpus -= wants.vcpus;
  return true;
}

const isTooLarge = (waiting: Waiting, capacity: Capacity) =>
  waiting.ram > capacity.ramBytes || waiting.vcpus > capacity.vcpus;

function forEachWaiting(store: Store, scope: 'own' | 'all', visit: (waiting: Waiting) => boolean): void {
  const [sql, parameters] = scope === 'all' ? [queued(''), []] : [queued(`AND ${wanted}`), [store.session.uuid]];
  store.db.each(sql, parameters, (row) =>
    visit({
      uuid: row.uuid as Uuid,
      ram: Number(row.ram),
      vcpus: Number(row.vcpus),
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

function warnTooLarge(store: Store, waiting: Waiting, capacity: Capacity): void {
  const warning = `${tooLargeText(waiting, capacity)}: runs alone`;
  updateRecord(store, 'containers', waiting.uuid, { runtime_status: { warning } });
}

function failTooLarge(store: Store, options: QueueOptions): void {
  const { capacity, scope } = options;
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
  const wants = describe(waiting.ram, waiting.vcpus);
  return `asks for ${wants}, this machine has ${describe(capacity.ramBytes, capacity.vcpus)}`;
}

const describe = (ramBytes: number, vcpus: number) => `${Math.ceil(ramBytes / mib)} MiB of memory and ${vcpus} cores`;
