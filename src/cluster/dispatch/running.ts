import type { Container } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { wantsOf } from '../containers/wants.ts';
import { type Capacity, Room } from './room.ts';

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

export interface RunningOptions {
  readonly capacity: Capacity;
  /** Containers of this process at once; default: as many as fit. */
  readonly maxConcurrent?: number;
}

/** So many small ones are saved together, where there are fewer cores: crunch-run writes their logs into one block. */
const leastAside = 16;
/** Of one look at the queue. */
const mostAtOnce = 1_000;

/** The containers that this process has locked: those that are ready and wait for their turn, those that run, and those that are saved. */
export class RunningContainers {
  readonly #byUuid = new Map<Uuid, Running>();
  /** Those whose processes have ended. */
  readonly #ended = new Set<Uuid>();
  readonly #capacity: Capacity;
  readonly #maxConcurrent: number;
  /** Of those that are made ready, and of those that are saved, beside what runs. */
  readonly #mostAside: number;

  constructor({ capacity, maxConcurrent = Number.POSITIVE_INFINITY }: RunningOptions) {
    this.#capacity = capacity;
    this.#maxConcurrent = maxConcurrent;
    this.#mostAside = Math.max(capacity.vcpus, leastAside);
  }

  uuids(): readonly Uuid[] {
    return [...this.#byUuid.keys()];
  }

  get(uuid: Uuid): Running | undefined {
    return this.#byUuid.get(uuid);
  }

  add(one: Running): void {
    this.#byUuid.set(one.container.uuid, one);
  }

  /** Its processes have ended, and it is being saved. */
  end(uuid: Uuid): void {
    this.#ended.add(uuid);
    this.handOver();
  }

  remove(uuid: Uuid): void {
    this.#byUuid.delete(uuid);
    this.#ended.delete(uuid);
    this.handOver();
  }

  /** What takes no room, whatever its record says. */
  idle(): Uuid[] {
    return [...this.#saving(), ...this.#ready().map(({ container }) => container.uuid)];
  }

  /** How many more may begin. None where those of this process leave no room, whatever others do: nothing need be looked up then. */
  spare(): number {
    const idle = this.idle();
    if (this.#isFull(idle)) return 0;
    return Math.min(this.#maxConcurrent - this.#byUuid.size + idle.length, mostAtOnce);
  }

  /** Those that run and may have a follower, which they have not yet. */
  leaders(): Container[] {
    const ready = this.#ready();
    const followed = new Set(ready.map(({ leader }) => leader));
    return [...this.#byUuid.values()]
      .filter((one) => one.hasTurn && !this.#ended.has(one.container.uuid) && !followed.has(one.container.uuid))
      .slice(0, Math.max(this.#mostAside - ready.length, 0))
      .map(({ container }) => container);
  }

  /** Followers begin in the room that their leaders give away, at once and without a look at the records. */
  handOver(): void {
    const free = new Set(this.#saving());
    for (const one of this.#ready()) {
      if (one.leader && (free.has(one.leader) || !this.#byUuid.has(one.leader))) begin(one);
    }
  }

  /** Those that are ready begin wherever there is room for them. */
  beginWhatFits(fitting: (ready: readonly Container[], idle: readonly Uuid[]) => readonly Container[]): void {
    const count = this.spare();
    const ready = this.#ready().map(({ container }) => container);
    if (count <= 0 || ready.length === 0) return;
    for (const { uuid } of fitting(ready, this.idle()).slice(0, count)) {
      const one = this.#byUuid.get(uuid);
      if (one) begin(one);
    }
  }

  /** Resolves when all have ended. */
  async abort(reason: string): Promise<void> {
    const all = [...this.#byUuid.values()];
    for (const { controller } of all) controller.abort(new Error(reason));
    await Promise.all(all.map(({ done }) => done));
  }

  #ready(): Running[] {
    return [...this.#byUuid.values()].filter(({ hasTurn }) => !hasTurn);
  }

  /** So many give their room away: what is to be saved cannot pile up. */
  #saving(): Uuid[] {
    return [...this.#ended].slice(0, this.#mostAside);
  }

  #isFull(idle: readonly Uuid[]): boolean {
    const free = new Set(idle);
    const busy = [...this.#byUuid.values()].map(({ container }) => container).filter(({ uuid }) => !free.has(uuid));
    return busy.length > 0 && new Room(this.#capacity, busy.map(wantsOf)).isFull;
  }
}

export function begin(one: Running): void {
  one.hasTurn = true;
  one.resolve();
}
