import { mayHaveChanged } from '../../api/events.ts';
import type { ClusterEvent } from '../../api/port.ts';
import { toMessage } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Cluster } from '../cluster.ts';
import type { Store } from '../store/store.ts';
import { createPersistence, type PersistenceOptions } from './persist.ts';
import type { QueueOptions } from './queue.ts';
import { recoverAbandoned } from './recover.ts';
import { RunningContainers, type RunningOptions } from './running.ts';
import { createStarter, type RunContainer } from './starter.ts';

export interface DispatcherOptions extends QueueOptions, PersistenceOptions, RunningOptions {
  readonly cluster: Cluster;
  readonly runContainer: RunContainer;
  /** Hands each running container's follower over, too, to be made ready meanwhile. Default false. */
  readonly ahead?: boolean;
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

/** How soon the containers of a killed process are noticed. */
const recoverEveryMs = 1_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { cluster, logger, ahead = false } = options;
  const { store } = cluster;
  const running = new RunningContainers(options);
  const { persist, failed } = createPersistence(options);
  const stopping = new AbortController();
  const stopped = stopping.signal;
  const startNext = createStarter({ ...options, store, running, ahead, persist, stopped, onRoom: () => looks.wake() });
  const looks = createLooks(() => persist(startNext), stopped);

  const unwatch = cluster.watch((event) => onChange(event, { store, running, wake: looks.wake }));
  const recover = setInterval(() => {
    attempt(logger, () => recoverAbandoned(store, logger));
    looks.wake();
  }, recoverEveryMs);
  attempt(logger, () => recoverAbandoned(store, logger));
  looks.wake();
  return {
    running: () => running.uuids(),
    failed,
    stop: async () => {
      stopping.abort();
      unwatch();
      clearInterval(recover);
      await looks.settled();
      await running.abort('the dispatcher stops');
    },
  };
}

/** Calls of `wake` that come together, or while one looks, are one look. */
function createLooks(look: () => Promise<void>, stopped: AbortSignal) {
  let isAwake = false;
  let looking: Promise<void> | undefined;
  return {
    wake: () => {
      if (isAwake || stopped.aborted) return;
      isAwake = true;
      setImmediate(async () => {
        await looking;
        isAwake = false;
        if (!stopped.aborted) looking = look();
      });
    },
    settled: async () => looking,
  };
}

interface Watcher {
  readonly store: Store;
  readonly running: RunningContainers;
  readonly wake: () => void;
}

/** What decides on what starts next. */
const decisive = {
  containers: ['priority', 'locked_by_uuid'],
  container_requests: ['priority', 'container_uuid'],
} as const;

function onChange(event: ClusterEvent, { store, running, wake }: Watcher): void {
  const { resource, uuid } = event;
  if (resource !== 'containers' && resource !== 'container_requests') return;
  const own = running.get(uuid);
  if (own === undefined) {
    if (mayHaveChanged(event, decisive[resource])) wake();
  } else if (mayHaveChanged(event, ['priority']) && isUnwanted(store, uuid)) {
    own.controller.abort(new Error('no request wants this container any more'));
  }
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
