import type { Container } from '../../api/records.ts';
import { toMessage } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { unlockContainer } from '../containers/containers.ts';
import { finishContainer } from '../containers/lifecycle.ts';
import { findRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Persistence } from './persist.ts';
import { type Follower, Queue, type QueueOptions } from './queue.ts';
import { begin, type Running, type RunningContainers } from './running.ts';

/**
 * Brings a locked container to its end, reporting states through the API. The signal says that nobody wants it any more,
 * or that the dispatcher stops. What it leaves unfinished is put back, or ended as a failure of the infrastructure.
 * It calls `onEnded` when the container's processes have ended: the next one may start while what it left is saved. It starts
 * none of them before `turn`, which comes at once but for a follower.
 */
export type RunContainer = (
  container: Container,
  signal: AbortSignal,
  onEnded: () => void,
  turn: Promise<void>,
) => Promise<void>;

export interface StarterOptions extends QueueOptions {
  readonly store: Store;
  readonly running: RunningContainers;
  readonly runContainer: RunContainer;
  readonly ahead: boolean;
  readonly persist: Persistence['persist'];
  readonly logger: Logger;
  /** Nothing is started after it. */
  readonly stopped: AbortSignal;
  /** Called when there may be room for another. */
  readonly onRoom: () => void;
}

/** Gives what locks and starts the next containers, as many as there is room for, and a follower for each that runs. */
export function createStarter(options: StarterOptions): () => Promise<void> {
  const { store, running, stopped } = options;
  const queue = new Queue(store, options);
  /** Whether more followers were found than were wanted the last time: it need not be asked then. */
  let hasMore = false;

  // Calls as those of the containers: the end of one and the lock of the next come together, and share a transaction.
  const startNext = async (): Promise<void> => {
    const count = running.spare();
    const idle = running.idle();
    if (count <= 0 || !queue.hasNext(idle)) return queue.tellWaiting(count > 0);
    const locked = await store.call(() => queue.lockNext(count, idle));
    await take(options, locked, (container) => begin(start(options, container)));
  };
  const startFollowers = async (): Promise<void> => {
    const leaders = running.leaders();
    const idle = running.idle();
    if (stopped.aborted || leaders.length === 0 || !(hasMore || queue.hasFollowers(leaders, idle))) return;
    const locked = await store.call(() => queue.lockFollowers(leaders, idle));
    hasMore = locked.length === leaders.length;
    await take(options, locked, ({ container, leader }) => start(options, container, leader));
    running.handOver();
  };
  return async () => {
    running.beginWhatFits((ready, idle) => queue.fitting(ready, idle));
    await startNext();
    if (options.ahead) await startFollowers();
  };
}

async function take<T extends Container | Follower>(
  { store, stopped, persist }: StarterOptions,
  locked: readonly T[],
  run: (one: T) => void,
): Promise<void> {
  if (!stopped.aborted) return locked.forEach(run);
  for (const one of locked) {
    const { uuid } = 'leader' in one ? one.container : one;
    await persist(() => leaveNothing(store, uuid, 'the dispatcher stops'));
  }
}

function start(options: StarterOptions, container: Container, leader?: Uuid): Running {
  const { running, onRoom } = options;
  const { promise: turn, resolve } = Promise.withResolvers<void>();
  const controller = new AbortController();
  const onEnded = () => {
    running.end(container.uuid);
    onRoom();
  };
  const done = run(options, container, { signal: controller.signal, onEnded, turn }).finally(() => {
    running.remove(container.uuid);
    onRoom();
  });
  const one = { container, controller, done, leader, hasTurn: false, resolve };
  running.add(one);
  return one;
}

interface Life {
  readonly signal: AbortSignal;
  readonly onEnded: () => void;
  readonly turn: Promise<void>;
}

async function run(options: StarterOptions, container: Container, { signal, onEnded, turn }: Life): Promise<void> {
  let reason = 'what ran it returned before it had ended';
  try {
    await options.runContainer(container, signal, onEnded, turn);
  } catch (error) {
    reason = toMessage(error);
    if (!signal.aborted) options.logger.error(`container ${container.uuid}: ${reason}`);
  }
  await options.persist(() => leaveNothing(options.store, container.uuid, reason));
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
