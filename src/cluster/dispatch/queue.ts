import type { Container } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { lockContainer } from '../containers/containers.ts';
import { isWithin, type Wants, wantsOf } from '../containers/wants.ts';
import { readRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { type Capacity, Room } from './room.ts';
import { goesFirst, Share } from './share.ts';
import { failTooLarge, forEachWaiting, isTooLarge, type Scope, type Waiting, warnTooLarge } from './waiting.ts';

export interface QueueOptions {
  readonly capacity: Capacity;
  /** Default `own`. */
  readonly scope?: Scope;
  /** What becomes of a container that asks for more than `capacity`. Default `run-alone`. */
  readonly whenTooLarge?: 'run-alone' | 'fail';
}

/** A locked container and the one in whose room it is to run. */
export interface Follower {
  readonly container: Container;
  readonly leader: Uuid;
}

/** So many that do not fit, and the rest is not looked at. */
const maxMisses = 64;
/** How often smaller containers may pass one that does not fit, before the room is kept for it. */
const maxPasses = 16;

/** Picks containers from the queue: highest priority first, then oldest. Those of `idle` take no room, whatever their records say. */
export class Queue {
  readonly #store: Store;
  readonly #capacity: Capacity;
  readonly #scope: Scope;
  readonly #failsTooLarge: boolean;
  readonly #share: Share;
  #passed: { readonly uuid: Uuid; times: number } | undefined;

  constructor(store: Store, { capacity, scope = 'own', whenTooLarge }: QueueOptions) {
    this.#store = store;
    this.#capacity = capacity;
    this.#scope = scope;
    this.#failsTooLarge = whenTooLarge === 'fail';
    this.#share = new Share(store);
  }

  /** Whether `lockNext` would lock any; what can never start is failed first, where that is asked for. */
  hasNext(idle: readonly Uuid[]): boolean {
    if (this.#failsTooLarge) failTooLarge(this.#store, this.#scope, this.#capacity);
    return this.#select(1, idle).length > 0;
  }

  /** Locks at most `count` that fit beside what runs on this machine already; one transaction. */
  lockNext(count: number, idle: readonly Uuid[]): Container[] {
    return this.#store.write(() => {
      const locked = this.#select(count, idle).map((waiting) => this.#lock(waiting, true));
      if (locked.length > 0) this.#share.tell(undefined);
      return locked;
    });
  }

  /** Lets other sessions know whether this one has to wait for room; `wants` is false while it would not begin more anyway. */
  tellWaiting(wants: boolean): void {
    let head: Uuid | undefined;
    if (wants) {
      forEachWaiting(this.#store, this.#scope, ({ uuid }) => {
        head = uuid;
        return false;
      });
    }
    this.#share.tell(head);
  }

  /** Whether `lockFollowers` would lock any. */
  hasFollowers(leaders: readonly Container[], idle: readonly Uuid[]): boolean {
    return this.#selectFollowers(leaders, idle).length > 0;
  }

  /** Locks the next ones, at most one to follow each of the leaders in its room; none while a larger one or another session waits for room. */
  lockFollowers(leaders: readonly Container[], idle: readonly Uuid[]): Follower[] {
    return this.#store.write(() => {
      // The room of one that has ended meanwhile may be another process's by now.
      const holders = new Set(this.#store.db.all(active).map(({ uuid }) => uuid));
      const found = this.#selectFollowers(
        leaders.filter(({ uuid }) => holders.has(uuid)),
        idle,
      );
      return found.map(({ waiting, leader }) => ({ container: this.#lock(waiting, false), leader }));
    });
  }

  /** Which of the containers that are locked already fit beside what runs, all of them together; they are among `idle`. */
  fitting(locked: readonly Container[], idle: readonly Uuid[]): readonly Container[] {
    const room = new Room(this.#capacity, this.#holders(idle));
    return locked.filter((container) => room.take(wantsOf(container)));
  }

  #holders(idle: readonly Uuid[]): Holder[] {
    const free = new Set<string>(idle);
    const rows = this.#store.db.all(active).filter(({ uuid }) => !free.has(String(uuid)));
    return rows.map((row) => ({ ram: Number(row.ram), cores: Number(row.vcpus), session: row.locked_by_uuid }));
  }

  /** Cores that this session holds. */
  #own(holders: readonly Holder[]): number {
    const { uuid } = this.#store.session;
    return holders.reduce((sum, { session, cores }) => (session === uuid ? sum + cores : sum), 0);
  }

  #select(count: number, idle: readonly Uuid[]): Waiting[] {
    const holders = this.#holders(idle);
    const room = new Room(this.#capacity, holders);
    if (!room.isEmpty && room.isFull) return [];
    const rival = this.#share.rival();
    let held = this.#own(holders);
    const started: Waiting[] = [];
    let misses = 0;
    forEachWaiting(this.#store, this.#scope, (waiting) => {
      if (rival && goesFirst(rival, held)) return false;
      if (room.take(waiting)) {
        started.push(waiting);
        held += waiting.cores;
        return started.length < count && !room.isFull;
      }
      if (room.isEmpty && started.length === 0 && isTooLarge(waiting, this.#capacity)) {
        started.push(waiting);
        return false;
      }
      this.#passed ??= { uuid: waiting.uuid, times: 0 };
      misses += 1;
      return misses < maxMisses && (this.#passed.uuid !== waiting.uuid || this.#passed.times < maxPasses);
    });
    return started;
  }

  #selectFollowers(
    running: readonly Container[],
    idle: readonly Uuid[],
  ): { readonly waiting: Waiting; readonly leader: Uuid }[] {
    const leaders = [...running];
    const found: { waiting: Waiting; leader: Uuid }[] = [];
    if (this.#passed !== undefined || leaders.length === 0) return found;
    const rival = this.#share.rival();
    if (rival && goesFirst(rival, this.#own(this.#holders(idle)))) return found;
    forEachWaiting(this.#store, this.#scope, (waiting) => {
      const index = leaders.findIndex((leader) => isWithin(waiting, wantsOf(leader)));
      const [leader] = index < 0 ? [] : leaders.splice(index, 1);
      if (leader) found.push({ waiting, leader: leader.uuid });
      return leader !== undefined && leaders.length > 0;
    });
    return found;
  }

  /** Inside `store.write`. */
  #lock(waiting: Waiting, isTry: boolean): Container {
    lockContainer(this.#store, waiting.uuid, waiting.lockCount, isTry);
    if (isTooLarge(waiting, this.#capacity)) warnTooLarge(this.#store, waiting, this.#capacity);
    if (this.#passed?.uuid === waiting.uuid) this.#passed = undefined;
    else if (this.#passed !== undefined) this.#passed.times += 1;
    return readRecord(this.#store, 'containers', waiting.uuid);
  }
}

/** What runs, or is about to, and the session whose it is. */
interface Holder extends Wants {
  readonly session: unknown;
}

const active = `SELECT uuid, ram, vcpus, locked_by_uuid FROM containers WHERE state IN ('Locked', 'Running')`;
