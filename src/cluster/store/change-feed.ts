import type { ClusterEvent } from '../../api/port.ts';
import type { Resource } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Database } from './database.ts';
import { schemas } from './schema.ts';

type Listener = (event: ClusterEvent) => void;

/** Tells watchers of committed changes: own ones at once, those of other processes within `pollMs`. */
export interface ChangeFeed {
  add(resource: Resource, uuid: Uuid, attributes?: readonly string[]): void;
  /** Returns the call that forgets what has been added since. */
  mark(): () => void;
  /** Writes what has been added, for other processes. The last call of the transaction. */
  keep(): void;
  commit(): void;
  rollback(): void;
  watch(listener: Listener): () => void;
  close(): void;
}

const pollMs = 25;
/** Transactions: far more than any process writes between two polls; one that was stopped for longer is told about everything. */
const mostKept = 5_000;
const pruneEvery = 1_000;

export function createChangeFeed(db: Database, session: Uuid): ChangeFeed {
  const listeners = new Set<Listener>();
  const pending = new Map<Uuid, ClusterEvent>();
  let kept = 0;
  let poll: Poll | undefined;
  const tell = (events: readonly ClusterEvent[]) => {
    for (const listener of [...listeners]) for (const event of events) listener(event);
  };
  const stop = () => {
    poll?.stop();
    poll = undefined;
  };
  return {
    add: (resource, uuid, attributes) => {
      const known = pending.get(uuid);
      pending.set(uuid, known ? join(known, attributes) : { resource, uuid, ...(attributes && { attributes }) });
    },
    mark: () => {
      const length = pending.size;
      return () => {
        for (const uuid of [...pending.keys()].slice(length)) pending.delete(uuid);
      };
    },
    keep: () => {
      if (pending.size === 0) return;
      db.run('INSERT INTO changes (session, uuids) VALUES (?, ?)', session, [...pending.keys()].join(' '));
      kept += 1;
      if (kept % pruneEvery === 0) {
        db.run('DELETE FROM changes WHERE seq < (SELECT MAX(seq) FROM changes) - ?', mostKept);
      }
    },
    commit: () => {
      const events = [...pending.values()];
      pending.clear();
      if (listeners.size > 0 && events.length > 0) queueMicrotask(() => tell(events));
    },
    rollback: () => pending.clear(),
    watch: (listener) => {
      listeners.add(listener);
      poll ??= startPoll(db, session, tell);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    close: () => {
      listeners.clear();
      stop();
    },
  };
}

/** Two changes of a record in one transaction are one. */
function join({ attributes: before, ...record }: ClusterEvent, attributes?: readonly string[]): ClusterEvent {
  return before && attributes ? { ...record, attributes: [...before, ...attributes] } : record;
}

interface Poll {
  stop(): void;
}

/** `PRAGMA data_version` moves when another connection has committed: a check without I/O. */
function startPoll(db: Database, session: Uuid, tell: (events: readonly ClusterEvent[]) => void): Poll {
  const version = () => Number(db.get('PRAGMA data_version')?.data_version);
  let seen = version();
  let last = lastSequence(db);
  const timer = setInterval(() => {
    const current = version();
    if (current === seen) return;
    seen = current;
    const before = last;
    last = lastSequence(db);
    tell(changesAfter(db, before, session));
  }, pollMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function lastSequence(db: Database): number {
  return Number(db.get('SELECT MAX(seq) AS seq FROM changes')?.seq ?? 0);
}

function changesAfter(db: Database, sequence: number, session: Uuid): ClusterEvent[] {
  const first = Number(db.get('SELECT MIN(seq) AS seq FROM changes')?.seq ?? 0);
  const rows =
    first > sequence + 1 && sequence > 0
      ? db.all(everything)
      : db.all('SELECT uuids FROM changes WHERE seq > ? AND session <> ?', sequence, session);
  const uuids = new Set(rows.flatMap((row) => String(row.uuids).split(' ')));
  return [...uuids].map((uuid) => ({ resource: resourceOf(uuid), uuid: uuid as Uuid }));
}

/** What somebody may wait for, when the changes in between are no longer known. */
const everything = 'SELECT uuid AS uuids FROM container_requests UNION ALL SELECT uuid FROM containers';

const byInfix = new Map(Object.values(schemas).map(({ infix, table }) => [infix, table]));

function resourceOf(uuid: string): Resource {
  const resource = byInfix.get(uuid.slice(6, 11));
  if (resource === undefined) throw new Error(`no resource has uuids like ${uuid}`);
  return resource;
}
