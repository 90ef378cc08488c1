import { apiError } from '../../api/errors.ts';
import type { Container, ContainerState, Mounts, RuntimeStatus } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { parseJson } from '../../core/numbers.ts';
import { hasContent } from '../collections.ts';
import { type Attributes, checkAttributes, show } from '../store/attributes.ts';
import { readRecord, readSome, readStored, updateRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { type Ending, finishContainer } from './lifecycle.ts';

/** How often a container is started anew before its start counts as failed: Arvados' `MaxDispatchAttempts`. */
const maxLockCount = 5;

/** Arvados API, containers, "Container states". The end is decided once: nothing follows it. */
const next: Readonly<Record<ContainerState, readonly ContainerState[]>> = {
  Queued: ['Locked', 'Cancelled'],
  Locked: ['Queued', 'Running', 'Cancelled'],
  Running: ['Complete', 'Cancelled'],
  Complete: [],
  Cancelled: [],
};

/** What the holder of the lock reports, and from which state on. */
const reports: Readonly<Record<ContainerState, ReadonlySet<string>>> = {
  Queued: new Set(),
  Locked: new Set(['runtime_status', 'log']),
  Running: new Set(['runtime_status', 'log', 'progress', 'output_properties']),
  Complete: new Set(['runtime_status', 'log', 'progress', 'output', 'output_properties', 'exit_code']),
  Cancelled: new Set(['runtime_status', 'log', 'output', 'output_properties']),
};

/** What the rules look at. */
const ruled = ['uuid', 'state', 'priority', 'locked_by_uuid', 'lock_count', 'runtime_status'] as const;
type Ruled = Pick<Container, (typeof ruled)[number]>;

export function updateContainer(store: Store, uuid: Uuid, given: Attributes, select?: readonly string[]): Container {
  return store.write(() => {
    const current: Ruled = readSome(store, 'containers', uuid, ruled);
    const state = (given.state as ContainerState | undefined) ?? current.state;
    const changes = checkAttributes('containers', given, (name) => readAttribute(store, uuid, name));
    checkHolder(store, current, state);
    checkState(current, state);
    checkReports(store, current, state, changes);
    apply(store, current, state, changes);
    return readStored(store, 'containers', uuid, select);
  });
}

function readAttribute(store: Store, uuid: Uuid, name: string): unknown {
  return (readRecord(store, 'containers', uuid) as unknown as Attributes)[name];
}

/** Secret mounts for whoever runs the container, and for nobody else. */
export function readContainerSecrets(store: Store, uuid: Uuid): Mounts {
  const row = store.db.get('SELECT locked_by_uuid, secret_mounts FROM containers WHERE uuid = ?', uuid);
  if (row === undefined) throw apiError('api/not-found', `containers has no record ${show(uuid)}`);
  if (row.locked_by_uuid !== store.session.uuid) {
    throw apiError('api/not-authorized', `secret mounts of ${uuid} are only for the holder of its lock`, {
      where: { container: uuid },
    });
  }
  return parseJson(String(row.secret_mounts)) as Mounts;
}

function apply(store: Store, current: Ruled, state: ContainerState, changes: Attributes): void {
  const { uuid } = current;
  const isReport = state === current.state;
  if (isReport) updateRecord(store, 'containers', uuid, changes);
  else if (state === 'Locked') lockContainer(store, uuid, current.lock_count);
  else if (state === 'Queued') unlockContainer(store, current);
  else if (state === 'Running') {
    const lock_count = Math.max(1, current.lock_count);
    updateRecord(store, 'containers', uuid, { ...changes, started_at: store.now(), lock_count });
  } else if (state === 'Complete') finishContainer(store, uuid, changes as unknown as Ending);
  else finishContainer(store, uuid, { ...changes, state, runtime_status: cancelStatus(current, changes) });
}

/** Inside `store.write`, of a queued container. One that is only made ready has not been tried: it counts once it is Running. */
export function lockContainer(store: Store, uuid: Uuid, lockCount: number, isTry = true): void {
  store.session.register();
  updateRecord(store, 'containers', uuid, {
    state: 'Locked',
    locked_by_uuid: store.session.uuid,
    lock_count: isTry ? lockCount + 1 : lockCount,
  });
}

/** Puts a locked container back, or ends it when it has been tried too often. Inside `store.write`. */
export function unlockContainer(
  store: Store,
  container: Pick<Container, 'uuid' | 'lock_count' | 'priority'>,
  reason?: string,
): void {
  const { uuid, lock_count, priority } = container;
  if (priority > 0 && lock_count < maxLockCount) {
    updateRecord(store, 'containers', uuid, { state: 'Queued', locked_by_uuid: null });
    return;
  }
  const last = reason === undefined ? '' : `, the last: ${reason}`;
  const runtime_status =
    priority === 0
      ? { error: 'cancelled before it started: no request wants it any more' }
      : { error: `could not be started: given up after ${lock_count} attempts${last}`, retryable: false };
  finishContainer(store, uuid, { state: 'Cancelled', runtime_status });
}

function cancelStatus(current: Ruled, changes: Attributes): RuntimeStatus {
  const status = (changes.runtime_status as RuntimeStatus | undefined) ?? current.runtime_status;
  if (status.error !== undefined) return status;
  const error = current.priority === 0 ? 'cancelled: no request wants it any more' : 'ended before it had an exit code';
  return { ...status, error };
}

function checkHolder(store: Store, current: Ruled, state: ContainerState): void {
  if (current.state === 'Queued' && state !== 'Queued') return;
  if (current.locked_by_uuid === store.session.uuid) return;
  const holder = current.locked_by_uuid ?? 'nobody';
  throw forbidden(current, `${current.state} and locked by ${holder}: only the holder of its lock may change it`);
}

function checkState(current: Ruled, state: ContainerState): void {
  if (state === current.state) return;
  if (!Object.hasOwn(next, state)) {
    throw apiError(
      'api/bad-attribute',
      `containers: expected state to be one of ${Object.keys(next).join(', ')}, got ${show(state)}`,
    );
  }
  const allowed = next[current.state];
  if (!allowed.includes(state)) {
    throw forbidden(
      current,
      `expected the state after ${current.state} to be ${allowed.join(' or ') || 'none'}, got ${state}`,
    );
  }
  if (current.priority === 0 && (state === 'Locked' || state === 'Running')) {
    throw forbidden(current, `not ${state}: no request wants it any more (priority 0)`);
  }
}

function checkReports(store: Store, current: Ruled, state: ContainerState, changes: Attributes): void {
  for (const [name, value] of Object.entries(changes)) {
    if (name === 'state') continue;
    if (!reports[state].has(name)) throw forbidden(current, `${name} cannot change while it is ${state}`);
    const isContent = (name === 'output' || name === 'log') && value !== null;
    if (isContent && !hasContent(store, String(value))) {
      throw apiError('api/bad-attribute', `containers: no collection with ${name} ${show(value)} is here`, {
        hint: 'create the collection record first',
        where: { container: current.uuid, field: name },
      });
    }
  }
  const exitCode = changes.exit_code;
  if (state === 'Complete' && !(typeof exitCode === 'number' && exitCode >= 0)) {
    throw apiError('api/bad-attribute', `containers: Complete needs an exit_code, got ${show(exitCode)}`, {
      hint: 'a container without an exit code is Cancelled, with runtime_status.error',
      where: { container: current.uuid, field: 'exit_code' },
    });
  }
}

const forbidden = (current: Ruled, message: string) =>
  apiError('api/forbidden-change', `container ${current.uuid}: ${message}`, { where: { container: current.uuid } });
