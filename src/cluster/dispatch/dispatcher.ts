import { mayHaveChanged } from '../../api/events.ts';
import type { ClusterEvent } from '../../api/port.ts';
import type { Container } from '../../api/records.ts';
import { toMessage } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Cluster } from '../cluster.ts';
import { unlockContainer } from '../containers/containers.ts';
import { finishContainer } from '../containers/lifecycle.ts';
import { findRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { createPersistence, type Persistence, type PersistenceOptions } from './persist.ts';
import { type Capacity, createQueue, type Follower, type QueueOptions } from './queue.ts';
import { recoverAbandoned } from './recover.ts';
import { begin, findLeaders, isFull, isReady, type Running } from './running.ts';

export interface DispatcherOptions extends Partial<Omit<QueueOptions, 'capacity'>>, PersistenceOptions {
  readonly cluster: Cluster;
  /**
   * Brings a locked container to its end, reporting states through the API. The signal says that nobody wants it any more,
   * or that the dispatcher stops. What it leaves unfinished is put back, or ended as a failure of the infrastructure.
   * It calls `onEnded` when the container's processes have ended: the next one may start while what it left is saved. It starts
   * none of them before `turn`, which comes at once unless `ahead` is set.
   */
  readonly runContainer: (
    container: Container,
    signal: AbortSignal,
    onEnded: () => void,
    turn: Promise<void>,
  ) => Promise<void>;
  /** Hands each running container's follower over, too, to be made ready meanwhile. Default false. */
  readonly ahead?: boolean;
  readonly capacity: Capacity;
  /** Containers of this process at once; default: as many as fit. */
  readonly maxConcurrent?: number;
}

/** Runs queued containers until it is stopped. Several on one record file, in one or many processes, share its queue. */
export interface Dispatcher {
  /** Uuids of the containers that it runs now. */
  running(): readonly Uuid[];
  /**
   * Aborted when the record file has refused to be written for a while, on a full disk for one: what is under way cannot be told
   * through the records any more, and who waits for it would wait for ever.
   */
  readonly failed: AbortSignal;
  /** Starts nothing more, aborts what runs and waits for its end. Idempotent. */
  stop(): Promise<void>;
}

/** So many small ones wait together: crunch-run writes their logs into one block. */
const leastSaving = 16;
/** How soon the containers of a killed process are noticed. */
const recoverEveryMs = 1_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { cluster, logger, maxConcurrent = Number.POSITIVE_INFINITY } = options;
  const { store } = cluster;
  const queue = createQueue(store, { scope: 'own', whenTooLarge: 'run-alone', ...options });
  const running = new Map<Uuid, Running>();
  /** Those whose processes have ended. As many as there are cores, or `leastSaving`, give their room away: what is to be saved cannot pile up. */
  const ended = new Set<Uuid>();
  const { persist, failed } = createPersistence(options);
  let isStopped = false;
  let isAwake = false;
  /** Whether more followers were found than were wanted the last time: it need not be asked then. */
  let hasMore = false;
  let locking: Promise<void> | undefined;

  /** Changes that come together, or while containers are being locked, are looked at once. */
  const wake = () => {
    if (isAwake || isStopped) return;
    isAwake = true;
    setImmediate(async () => {
      await locking;
      isAwake = false;
      locking = persist(startNext);
    });
  };
  const saving = () => [...ended].slice(0, Math.max(options.capacity.vcpus, leastSaving));
  /** What takes no room, whatever its record says. */
  const idle = () => [...saving(), ...[...running.values()].filter(isReady).map(({ container }) => container.uuid)];
  const startNext = async () => {
    beginWhatFits();
    const without = idle();
    const free = Math.min(maxConcurrent - running.size + without.length, 1_000);
    if (free > 0 && !isFull(options.capacity, running, without) && queue.hasNext(without)) {
      // A call as those of the containers: the end of one and the lock of the next come together, and share a transaction.
      await take(await store.call(() => queue.lockNext(free, without)), (container) => begin(start(container)));
    }
    const leaders = options.ahead ? findLeaders(running, ended) : [];
    if (isStopped || leaders.length === 0 || !(hasMore || queue.hasFollowers(leaders))) return;
    const followers = await store.call(() => queue.lockFollowers(leaders));
    hasMore = followers.length === leaders.length;
    await take(followers, ({ container, leader }) => start(container, leader));
    handOver();
  };
  const take = async <T extends Container | Follower>(locked: readonly T[], run: (one: T) => void) => {
    if (!isStopped) return locked.forEach(run);
    for (const one of locked) {
      const { uuid } = 'leader' in one ? one.container : one;
      await persist(() => leaveNothing(store, uuid, 'the dispatcher stops'));
    }
  };
  const start = (container: Container, leader?: Uuid): Running => {
    const { uuid } = container;
    const { promise: turn, resolve } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const onEnded = () => {
      ended.add(uuid);
      handOver();
      wake();
    };
    const done = runOne(options, container, { signal: controller.signal, onEnded, turn, persist }).finally(() => {
      running.delete(uuid);
      ended.delete(uuid);
      handOver();
      wake();
    });
    const one = { container, controller, done, leader, hasTurn: false, resolve };
    running.set(uuid, one);
    return one;
  };
  /** Followers begin in the room that their leaders give away, at once and without a look at the records. */
  const handOver = () => {
    const free = new Set(saving());
    for (const one of running.values()) {
      if (isReady(one) && one.leader && (free.has(one.leader) || !running.has(one.leader))) begin(one);
    }
  };
  const beginWhatFits = () => {
    for (const one of [...running.values()].filter(isReady)) {
      const without = idle();
      if (isFull(options.capacity, running, without) || running.size - without.length >= maxConcurrent) return;
      if (queue.fits(one.container, without)) begin(one);
    }
  };
  const onChange = (event: ClusterEvent) => {
    const { resource, uuid } = event;
    if (resource !== 'containers' && resource !== 'container_requests') return;
    const own = running.get(uuid);
    if (own === undefined) {
      if (mayHaveChanged(event, decisive[resource])) wake();
    } else if (mayHaveChanged(event, ['priority']) && isUnwanted(store, uuid)) {
      own.controller.abort(new Error('no request wants this container any more'));
    }
  };

  const unwatch = cluster.watch(onChange);
  const recover = setInterval(() => attempt(logger, () => recoverAbandoned(store, logger)), recoverEveryMs);
  attempt(logger, () => recoverAbandoned(store, logger));
  wake();
  return {
    running: () => [...running.keys()],
    failed,
    stop: async () => {
      isStopped = true;
      unwatch();
      clearInterval(recover);
      await locking;
      for (const { controller } of running.values()) controller.abort(new Error('the dispatcher stops'));
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

/** What decides on what starts next. */
const decisive = {
  containers: ['priority', 'locked_by_uuid'],
  container_requests: ['priority', 'container_uuid'],
} as const;

interface Life {
  readonly signal: AbortSignal;
  readonly onEnded: () => void;
  readonly turn: Promise<void>;
  readonly persist: Persistence['persist'];
}

async function runOne(
  options: DispatcherOptions,
  container: Container,
  { signal, onEnded, turn, persist }: Life,
): Promise<void> {
  const { store } = options.cluster;
  let reason = 'what ran it returned before it had ended';
  try {
    await options.runContainer(container, signal, onEnded, turn);
  } catch (error) {
    reason = toMessage(error);
    if (!signal.aborted) options.logger.error(`container ${container.uuid}: ${reason}`);
  }
  await persist(() => leaveNothing(store, container.uuid, reason));
}

/** The end of what `runContainer` left unfinished: exactly one final state, or back in the queue. */
function leaveNothing(store: Store, uuid: Uuid, reason: string): void {
  if (!isHeld(store, uuid)) return;
  store.write(() => {
    const container = findRecord(store, 'containers', uuid);
    if (container === undefined || !isHeld(store, uuid)) return;
    if (container.state === 'Locked') unlockContainer(store, container, reason);
    else if (container.state === 'Running') {
      const runtime_status = { ...container.runtime_status, error: container.runtime_status.error ?? reason };
      finishContainer(store, uuid, { state: 'Cancelled', runtime_status });
    }
  });
}

function isHeld(store: Store, uuid: Uuid): boolean {
  const row = store.db.get('SELECT locked_by_uuid FROM containers WHERE uuid = ?', uuid);
  return row?.locked_by_uuid === store.session.uuid;
}

function isUnwanted(store: Store, uuid: Uuid): boolean {
  return store.db.get('SELECT priority FROM containers WHERE uuid = ?', uuid)?.priority === 0;
}

/** A failure of the record file must not end the process from a timer: it is said, and the next look tries again. */
function attempt(logger: Logger, work: () => void): void {
  try {
    work();
  } catch (error) {
    logger.error(`dispatcher: ${toMessage(error)}`);
  }
}
