import type { Uuid } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { unlockContainer } from '../containers/containers.ts';
import { markInterrupted } from '../containers/interrupted.ts';
import { finishContainer, updatePriority } from '../containers/lifecycle.ts';
import { updateRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/**
 * Takes back what processes that are gone held: locked containers go back into the queue, running ones are ended as a
 * failure of the infrastructure, and their requests get a new container where they may. Cheap when there is nothing to do.
 */
export function recoverAbandoned(store: Store, logger: Logger): void {
  const isGone = (session: string) => !store.session.isAlive(session);
  if (!sessions(store).some(isGone)) return;
  markInterrupted(store);
  store.write(() => {
    for (const session of sessions(store).filter(isGone)) {
      abandonRuns(store, session);
      for (const row of store.db.all(held, session)) {
        const uuid = row.uuid as Uuid;
        logger.warn(`container ${uuid}: the process that held it is gone`);
        const container = { uuid, lock_count: Number(row.lock_count), priority: Number(row.priority) };
        if (row.state === 'Locked') unlockContainer(store, container, lost);
        else finishContainer(store, uuid, { state: 'Cancelled', runtime_status: { error: lost } });
      }
      store.db.run('DELETE FROM sessions WHERE uuid = ?', session);
    }
  });
}

/**
 * A run that is gone wants nothing any more: what of its work is still under way is cancelled, unless somebody else waits for it.
 * Requests that belong to no run are those of a server's clients, which come back for them.
 */
function abandonRuns(store: Store, session: string): void {
  for (const row of store.db.all(waitingInRuns, session)) {
    updateRecord(store, 'container_requests', String(row.uuid), { priority: 0 });
    if (row.container_uuid !== null) updatePriority(store, row.container_uuid as Uuid);
  }
}

const waitingInRuns = `
  SELECT uuid, container_uuid FROM container_requests
  WHERE json_extract(properties, '$."hm:run"') IS NOT NULL AND session = ? AND state = 'Committed' AND priority > 0`;

const lost = 'the process that ran it ended without finishing it';

const held = `
  SELECT uuid, state, lock_count, priority FROM containers
  WHERE state IN ('Locked', 'Running') AND locked_by_uuid = ?`;

/** Everybody who holds a lock or is registered, except this one. */
function sessions(store: Store): string[] {
  const rows = store.db.all(
    `SELECT uuid FROM sessions WHERE uuid <> ?1
     UNION SELECT locked_by_uuid FROM containers WHERE state IN ('Locked', 'Running') AND locked_by_uuid <> ?1`,
    store.session.uuid,
  );
  return rows.map((row) => String(row.uuid));
}
