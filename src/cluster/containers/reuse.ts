import type { Uuid } from '../../core/ids.ts';
import { notTrashed } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** A container that satisfies a request, in Arvados' order of preference ("Container reuse"). */
export function findReusable(store: Store, reuseKey: string): Uuid | undefined {
  const row = store.db.get(finished, reuseKey, store.now()) ?? store.db.get(unfinished, reuseKey);
  return row?.uuid as Uuid | undefined;
}

/** The log counts too: without it nobody could say how the output was made. */
const isKept = (attribute: 'output' | 'log') =>
  `EXISTS (SELECT 1 FROM collections WHERE portable_data_hash = c.${attribute} AND ${notTrashed.replace('?', '?2')})`;

const finished = `
  SELECT c.uuid FROM containers c
  WHERE c.reuse_key = ?1 AND c.state = 'Complete' AND c.exit_code = 0 AND ${isKept('output')} AND ${isKept('log')}
  ORDER BY c.id LIMIT 1`;

/** One whose priority is 0 is about to be cancelled; one that has reported an error will fail. */
const unfinished = `
  SELECT uuid FROM containers
  WHERE reuse_key = ? AND state IN ('Running', 'Locked', 'Queued') AND priority > 0
    AND json_extract(runtime_status, '$.error') IS NULL
  ORDER BY CASE state WHEN 'Running' THEN 0 WHEN 'Locked' THEN 1 ELSE 2 END, progress DESC, priority DESC, id
  LIMIT 1`;
