import type { JsonObject } from '../../core/json.ts';
import { parseJson } from '../../core/numbers.ts';
import { updateRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/**
 * A run whose runner is gone without saying how it ended was killed, or the machine went down: its record says so from now on.
 * What of its work was under way is the dispatcher's to take back.
 */
export function markInterrupted(store: Store): void {
  const isGone = ({ session }: { readonly session?: unknown }) =>
    session === null || !store.session.isAlive(String(session));
  if (!store.db.all(running).some(isGone)) return;
  store.write(() => {
    for (const row of store.db.all(running).filter(isGone)) {
      const properties = parseJson(String(row.properties)) as JsonObject;
      updateRecord(store, 'container_requests', String(row.uuid), {
        properties: { ...properties, 'hm:status': 'interrupted' },
      });
    }
  });
}

const running = `
  SELECT uuid, session, properties FROM container_requests WHERE json_extract(properties, '$."hm:status"') = 'running'`;
