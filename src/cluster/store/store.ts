import { randomBytes } from 'node:crypto';
import type { ClusterEvent } from '../../api/port.ts';
import type { Resource } from '../../api/records.ts';
import { type Clock, toRfc3339Nano } from '../../core/clock.ts';
import type { Uuid } from '../../core/ids.ts';
import { type CallOptions, createBatch } from './batch.ts';
import { createChangeFeed } from './change-feed.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate } from './migrations/migrate.ts';
import { createSession, type Session } from './session.ts';

/** The open record file, as the rules of the cluster use it. */
export interface Store {
  readonly db: Database;
  readonly session: Session;
  /** Owner of what is made without one: the only user of an embedded cluster. */
  readonly ownerUuid: Uuid;
  /** Never gives the same time twice. */
  now(): string;
  newUuid(infix: string): Uuid;
  /** Keys the digests of secrets, so that the file does not tell equal secrets of two homes apart from guesses. */
  readonly secretKey: string;
  /** One transaction; what it `changed` is told to the watchers once it is kept. Called within one, joins it. */
  write<T>(work: () => T): T;
  /** A call from outside: the same, together with the calls that come in this turn of the event loop; a lazy one with the next. */
  call<T>(work: () => T, options?: CallOptions): Promise<T>;
  /** Without `attributes` any of them may have. */
  changed(resource: Resource, uuid: Uuid, attributes?: readonly string[]): void;
  watch(listener: (event: ClusterEvent) => void): () => void;
  close(): void;
}

export function openStore(path: string, clock: Clock): Store {
  const db = openDatabase(path);
  try {
    migrate(db);
    return createStore(db, clock);
  } catch (error) {
    db.close();
    throw error;
  }
}

function createStore(db: Database, clock: Clock): Store {
  const { clusterId, secretKey } = readIdentity(db);
  const newUuid = (infix: string) => `${clusterId}-${infix}-${timeBase36(clock)}${randomBase36(6)}` as Uuid;
  const session = createSession(db, newUuid('gj3su'));
  const feed = createChangeFeed(db, session.uuid);
  let depth = 0;
  let lastNs = 0n;
  const write = <T>(work: () => T): T => {
    if (depth > 0) return work();
    depth += 1;
    try {
      const result = db.transaction(() => {
        const value = work();
        feed.keep();
        return value;
      });
      feed.commit();
      return result;
    } catch (error) {
      feed.rollback();
      throw error;
    } finally {
      depth -= 1;
    }
  };
  const batch = createBatch(db, feed, write);
  return {
    db,
    session,
    ownerUuid: `${clusterId}-tpzed-000000000000000` as Uuid,
    secretKey,
    newUuid,
    write,
    now: () => {
      const ns = clock.nowNs();
      lastNs = ns > lastNs ? ns : lastNs + 1n;
      return toRfc3339Nano(lastNs);
    },
    call: batch.add,
    changed: feed.add,
    watch: feed.watch,
    close: () => {
      try {
        batch.flush();
      } finally {
        feed.close();
        session.end();
        db.close();
      }
    },
  };
}

/** The cluster id is drawn once for each file and stays: uuids of two homes never clash. */
function readIdentity(db: Database): { clusterId: string; secretKey: string } {
  const read = (name: string, make: () => string): string => {
    const known = db.get('SELECT value FROM meta WHERE name = ?', name)?.value;
    if (typeof known === 'string') return known;
    db.run('INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)', name, make());
    return read(name, make);
  };
  return {
    clusterId: read('cluster_id', () => `h${randomBase36(4)}`),
    secretKey: read('secret_key', () => randomBytes(32).toString('hex')),
  };
}

/** Nine characters of milliseconds: new uuids follow older ones in every index, so that a commit touches few pages. */
const timeBase36 = (clock: Clock) => (clock.nowNs() / 1_000_000n).toString(36).padStart(9, '0').slice(-9);

const base36 = '0123456789abcdefghijklmnopqrstuvwxyz';
const pool = { bytes: Buffer.alloc(0), used: 0 };

/** Uniform: bytes of 252 and more would favour the first letters. */
function randomBase36(length: number): string {
  let text = '';
  while (text.length < length) {
    if (pool.used === pool.bytes.length) {
      pool.bytes = randomBytes(4096);
      pool.used = 0;
    }
    const byte = pool.bytes[pool.used] ?? 255;
    pool.used += 1;
    if (byte < 252) text += base36[byte % 36];
  }
  return text;
}
