import type { ClusterEvent, ListPage, ListQuery } from '../api/port.ts';
import type { Records, Resource } from '../api/records.ts';
import { toMessage } from '../core/errors.ts';
import type { Uuid } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { createLiving, type Living, type LivingResource } from './living.ts';

export interface ChangeFeedOptions {
  readonly list: <R extends LivingResource>(resource: R, query: ListQuery) => Promise<ListPage<Records[R]>>;
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

const slower = 1.5;

export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { logger, delaysMs = { least: 500, most: 10_000 } } = options;
  const listeners = new Set<(event: ClusterEvent) => void>();
  const living = createLiving();
  let delayMs = delaysMs.least;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  const tell = (event: ClusterEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (listeners.size === 0 || isLooking || living.isEmpty()) return;
    timer = setTimeout(() => void look(), delayMs);
    timer.unref();
  };
  /** Never puts off a look that is due soon. */
  const hurry = (): void => {
    if (timer !== undefined && delayMs === delaysMs.least) return;
    delayMs = delaysMs.least;
    schedule();
  };
  const look = async (): Promise<void> => {
    isLooking = true;
    delayMs = Math.min(delayMs * slower, delaysMs.most);
    const onChange = (event: ClusterEvent): void => {
      delayMs = delaysMs.least;
      tell(event);
    };
    for (const resource of ['container_requests', 'containers'] as const) {
      await findChanges(options, living, { resource, onChange }).catch((error: unknown) =>
        logger.debug(`the cluster could not be asked for changes: ${toMessage(error)}`),
      );
    }
    isLooking = false;
    schedule();
  };
  return {
    saw(resource, record) {
      if (living.note(resource, record)) hurry();
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

const uuidsPerList = 500;

/** Notes and tells what has changed since it was last noted. */
async function findChanges(
  { list }: ChangeFeedOptions,
  living: Living,
  { resource, onChange }: { readonly resource: LivingResource; readonly onChange: (event: ClusterEvent) => void },
): Promise<void> {
  const uuids = living.uuids(resource);
  for (let start = 0; start < uuids.length; start += uuidsPerList) {
    const some = uuids.slice(start, start + uuidsPerList);
    const { items } = await list(resource, {
      filters: [['uuid', 'in', some]],
      select: ['uuid', 'modified_at', 'state', ...(resource === 'containers' ? [] : ['container_uuid'])],
      limit: some.length,
      count: 'none',
    });
    for (const record of items) {
      if (!living.hasChanged(resource, record)) continue;
      living.note(resource, record);
      onChange({ resource, uuid: record.uuid });
    }
  }
}
