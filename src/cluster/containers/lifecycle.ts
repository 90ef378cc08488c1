import {
  type Container,
  type ContainerRequest,
  earlierContainers,
  type Mounts,
  type RuntimeStatus,
  readEarlierContainers,
} from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { parseJson } from '../../core/numbers.ts';
import type { Attributes } from '../store/attributes.ts';
import { readRecord, updateRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { assignContainer } from './assign.ts';
import { type EndedContainer, type EndingRequest, finalize, readEnded, readEnding } from './finalize.ts';

/**
 * What follows when one thing changes: requests decide what containers are wanted, the end of a container ends its requests
 * or gives them another container, and the requests that it made itself. Everything here runs inside `store.write`.
 */

/** Gives the request its container: the first or, after a failure of the infrastructure, the next one. */
export function assign(store: Store, request: ContainerRequest, secretMounts: Mounts): void {
  const { container, isNew } = assignContainer(store, request, secretMounts);
  const container_count = request.container_count + 1;
  const link = { container_uuid: container, container_count, ...rememberContainer(request) };
  updateRecord(store, 'container_requests', request.uuid, link);
  if (!isNew) join(store, request.uuid, container);
}

/** Those that a request had before, oldest first: their logs say why it was given another. */
function rememberContainer({
  container_uuid,
  properties,
}: ContainerRequest): Pick<ContainerRequest, 'properties'> | undefined {
  if (container_uuid === null) return undefined;
  return { properties: { ...properties, [earlierContainers]: [...readEarlierContainers(properties), container_uuid] } };
}

/** What a request changes about a container that was there before it, and the other way round. */
export function join(store: Store, request: Uuid, container: Uuid): void {
  updatePriority(store, container);
  if (hasEnded(store, container)) settle(store, request, readEnded(store, container));
}

export function readSecretMounts(store: Store, request: Uuid): Mounts {
  const row = store.db.get('SELECT secret_mounts FROM container_requests WHERE uuid = ?', request);
  return parseJson(String(row?.secret_mounts ?? '{}')) as Mounts;
}

/** A container wants as much as the most that its requests want; nobody's container is cancelled. */
export function updatePriority(store: Store, uuid: Uuid): void {
  const row = store.db.get(wanted, uuid);
  const container = store.db.get('SELECT state, priority FROM containers WHERE uuid = ?', uuid);
  const priority = Number(row?.priority ?? 0);
  const state = container?.state;
  if (state === 'Complete' || state === 'Cancelled' || container?.priority === priority) return;
  updateRecord(store, 'containers', uuid, { priority });
  // A locked or running one is ended by the dispatcher that holds it: it learns of the new priority as a change.
  if (priority === 0 && state === 'Queued') finishContainer(store, uuid, cancelledInQueue);
}

const wanted = `SELECT MAX(priority) AS priority FROM container_requests WHERE container_uuid = ? AND state = 'Committed'`;

const cancelledInQueue = {
  state: 'Cancelled',
  runtime_status: { error: 'cancelled before it started: no request wants it any more' },
} as const;

/** Ends, or tries again, every request of a container that has ended. */
function settleRequestsOf(store: Store, uuid: Uuid): void {
  const waiting = store.db.all(waitingFor, uuid);
  if (waiting.length > 0) {
    const container = readEnded(store, uuid);
    for (const row of waiting) settle(store, row.uuid as Uuid, container);
  }
  cancelChildren(store, uuid);
}

const waitingFor = `
  SELECT uuid FROM container_requests WHERE container_uuid = ? AND state = 'Committed' ORDER BY id`;

function settle(store: Store, uuid: Uuid, container: EndedContainer): void {
  const request = readEnding(store, uuid);
  if (container.state === 'Cancelled' && mayRetry(request, container)) {
    assign(store, readRecord(store, 'container_requests', uuid), readSecretMounts(store, uuid));
  } else {
    finalize(store, request, container);
  }
}

function hasEnded(store: Store, container: Uuid): boolean {
  const state = store.db.get('SELECT state FROM containers WHERE uuid = ?', container)?.state;
  return state === 'Complete' || state === 'Cancelled';
}

/** Only the infrastructure's failures are tried again, and not those that would come again the same way. */
function mayRetry(request: EndingRequest, container: EndedContainer): boolean {
  if (request.priority === 0 || request.container_count >= request.container_count_max) return false;
  return container.runtime_status.retryable !== false;
}

/** Requests that a container made end with it. */
function cancelChildren(store: Store, parent: Uuid): void {
  const sql = `
    SELECT uuid, container_uuid FROM container_requests
    WHERE requesting_container_uuid = ? AND state = 'Committed' AND priority > 0`;
  for (const row of store.db.all(sql, parent)) {
    updateRecord(store, 'container_requests', String(row.uuid), { priority: 0 });
    if (row.container_uuid !== null) updatePriority(store, row.container_uuid as Uuid);
  }
}

export interface Ending
  extends Partial<Pick<Container, 'output' | 'log' | 'output_properties' | 'exit_code' | 'progress'>> {
  readonly state: 'Complete' | 'Cancelled';
  readonly runtime_status?: RuntimeStatus;
}

/** The one end of a container: final state, lock and secrets gone, requests settled. */
export function finishContainer(store: Store, uuid: Uuid, ending: Ending): void {
  const attributes: Attributes = { ...ending, locked_by_uuid: null, finished_at: store.now() };
  const isReusable = ending.state === 'Complete' && ending.exit_code === 0;
  updateRecord(store, 'containers', uuid, attributes, {
    secret_mounts: '{}',
    ...(isReusable ? {} : { reuse_key: null }),
  });
  settleRequestsOf(store, uuid);
}
