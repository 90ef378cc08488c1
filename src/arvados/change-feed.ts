import type { ClusterEvent, ListPage, ListQuery } from '../api/port.ts';
import type { Records, Resource } from '../api/records.ts';
import { toMessage } from '../core/errors.ts';
import type { Uuid } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';

/** Records that live: the others change only when somebody writes them. */
type Living = 'container_requests' | 'containers';

export interface ChangeFeedOptions {
  readonly list: <R extends Living>(resource: R, query: ListQuery) => Promise<ListPage<Records[R]>>;
  readonly logger: Logger;
  /** Between two looks: the least, right after a change, and the most, when nothing has happened for long. */
  readonly delaysMs?: { readonly least: number; readonly most: number };
}

/**
 * Tells of changes to the container requests and containers that this process has seen and that have not ended: one list of uuids
 * for all of them, oftener while things happen. Own changes to any record are told at once.
 */
export interface ChangeFeed {
  /** A record as it was just read. */
  saw<R extends Resource>(resource: R, record: Records[R]): void;
  /** A record that this process has changed. */
  changed(resource: Resource, uuid: Uuid): void;
  watch(listener: (event: ClusterEvent) => void): () => void;
  close(): void;
}

const uuidsPerList = 500;
const slower = 1.5;

export function createChangeFeed({
  list,
  logger,
  delaysMs = { least: 500, most: 10_000 },
}: ChangeFeedOptions): ChangeFeed {
  const listeners = new Set<(event: ClusterEvent) => void>();
  const living = { container_requests: new Map<Uuid, string>(), containers: new Map<Uuid, string>() };
  let delayMs = delaysMs.least;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  const tell = (event: ClusterEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (listeners.size === 0 || isLooking || living.container_requests.size + living.containers.size === 0) return;
    timer = setTimeout(() => void lookAround(), delayMs);
    timer.unref();
  };
  /** Never puts off a look that is due soon. */
  const hurry = (): void => {
    if (timer !== undefined && delayMs === delaysMs.least) return;
    delayMs = delaysMs.least;
    schedule();
  };
  const lookAround = async (): Promise<void> => {
    isLooking = true;
    delayMs = Math.min(delayMs * slower, delaysMs.most);
    try {
      const found = await Promise.all([lookAt('container_requests'), lookAt('containers')]);
      if (found.some(Boolean)) delayMs = delaysMs.least;
    } catch (error) {
      logger.debug(`the cluster could not be asked for changes: ${toMessage(error)}`);
    } finally {
      isLooking = false;
      schedule();
    }
  };
  const lookAt = async (resource: Living): Promise<boolean> => {
    const uuids = [...living[resource].keys()];
    let hasChanged = false;
    for (let start = 0; start < uuids.length; start += uuidsPerList) {
      const some = uuids.slice(start, start + uuidsPerList);
      const { items } = await list(resource, {
        filters: [['uuid', 'in', some]],
        select: ['uuid', 'modified_at', 'state', ...(resource === 'containers' ? [] : ['container_uuid'])],
        limit: some.length,
        count: 'none',
      });
      for (const record of items) {
        const before = living[resource].get(record.uuid);
        // Ended meanwhile, by an answer that came first.
        if (before === undefined || before === record.modified_at) continue;
        note(resource, record);
        hasChanged = true;
        tell({ resource, uuid: record.uuid });
      }
    }
    return hasChanged;
  };
  const note = (resource: Living, record: Records[Living]): void => {
    if (isEnded(record.state)) living[resource].delete(record.uuid);
    else living[resource].set(record.uuid, record.modified_at);
    const container = 'container_uuid' in record ? record.container_uuid : null;
    // Not seen yet itself: its first look is told as a change.
    if (container && record.state === 'Committed' && !living.containers.has(container)) {
      living.containers.set(container, '');
    }
  };
  return {
    saw(resource, record) {
      if (resource !== 'container_requests' && resource !== 'containers') return;
      const known: ReadonlyMap<Uuid, string> = living[resource as Living];
      const isNew = !known.has(record.uuid);
      note(resource, record as Records[Living]);
      if (isNew && known.has(record.uuid)) hurry();
    },
    changed(resource, uuid) {
      if (listeners.size > 0) queueMicrotask(() => tell({ resource, uuid }));
    },
    watch(listener) {
      listeners.add(listener);
      hurry();
      return () => {
        listeners.delete(listener);
        schedule();
      };
    },
    close() {
      listeners.clear();
      schedule();
    },
  };
}

/** An uncommitted request changes only when it is written. */
const isEnded = (state: Records[Living]['state']): boolean =>
  state === 'Final' || state === 'Uncommitted' || state === 'Complete' || state === 'Cancelled';
