import type { Uuid } from '../../core/ids.ts';
import type { Store } from '../store/store.ts';

/** A session that has not said so again for this long does not wait any more: it was stopped, or is busy otherwise. */
const leaseSeconds = 3;
const tellEveryMs = 1_000;
/** To pass room from one process to another costs more than a short container: what becomes free sooner is waited for in silence. */
const patienceMs = 500;

/** Another session that waits for room. */
export interface Rival {
  /** What it holds. */
  readonly cores: number;
  /** It has waited for longer than this one. */
  readonly isOlder: boolean;
}

/** Whether room is the rival's first, where this session holds so many cores. */
export const goesFirst = ({ cores, isOlder }: Rival, held: number): boolean =>
  cores < held || (cores === held && isOlder);

/**
 * How sessions that share a machine come to room: one that waits and has little goes before those that have more. Whoever waits says so in
 * the record file, where there is anybody else to read it.
 */
export class Share {
  readonly #store: Store;
  #since: { readonly at: string; readonly ms: number } | undefined;
  #toldMs: number | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The session that waits for room and holds least; of equals, the one that has waited for longest. */
  rival(): Rival | undefined {
    const row = this.#store.db.get(waiting, this.#store.session.uuid);
    if (row === undefined) return undefined;
    return { cores: Number(row.cores), isOlder: this.#since === undefined || String(row.since) < this.#since.at };
  }

  /** This session waits for room for the container `head`, or for none. */
  tell(head: Uuid | undefined): void {
    if (head === undefined) this.#endWait();
    else {
      this.#since ??= { at: this.#store.now(), ms: performance.now() };
      const isNew = this.#toldMs === undefined;
      const dueMs = this.#toldMs === undefined ? this.#since.ms + patienceMs : this.#toldMs + tellEveryMs;
      if (performance.now() >= dueMs) this.#say(this.#since.at, isNew ? head : undefined);
    }
  }

  #say(since: string, news: Uuid | undefined): void {
    const { db, session } = this.#store;
    if (db.get(anotherSession, session.uuid) === undefined) return;
    this.#toldMs = performance.now();
    this.#store.write(() => {
      session.register();
      db.run(waits, since, session.uuid);
      // So that the others look.
      if (news !== undefined) this.#store.changed('containers', news, ['priority']);
    });
  }

  #endWait(): void {
    this.#since = undefined;
    if (this.#toldMs === undefined) return;
    this.#toldMs = undefined;
    this.#store.write(() => this.#store.db.run(noLonger, this.#store.session.uuid));
  }
}

const waiting = `
  SELECT s.waiting_since AS since, (
    SELECT TOTAL(c.vcpus) FROM containers c WHERE c.state IN ('Locked', 'Running') AND c.locked_by_uuid = s.uuid
  ) AS cores
  FROM sessions s WHERE s.uuid <> ? AND s.waiting_until >= unixepoch() ORDER BY cores, since LIMIT 1`;
const anotherSession = 'SELECT 1 FROM sessions WHERE uuid <> ? LIMIT 1';
const waits = `UPDATE sessions SET waiting_since = ?, waiting_until = unixepoch() + ${leaseSeconds} WHERE uuid = ?`;
const noLonger = 'UPDATE sessions SET waiting_since = NULL, waiting_until = NULL WHERE uuid = ?';
