import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { toCanonicalJson } from '../../core/json.ts';
import { parseJson } from '../../core/numbers.ts';
import { toStoreError } from './store-error.ts';

/** A bigint is an integer of at most 64 bits; none is read back. */
export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;

/** One SQLite file in WAL mode. Every failure is an `ApiError` that names the file. Calls are synchronous. */
export interface Database {
  readonly path: string;
  get(sql: string, ...parameters: readonly SqlValue[]): Row | undefined;
  all(sql: string, ...parameters: readonly SqlValue[]): Row[];
  /** One row after the other, as far as `visit` returns true; `visit` makes no call of its own with the same SQL. */
  each(sql: string, parameters: readonly SqlValue[], visit: (row: Row) => boolean): void;
  run(sql: string, ...parameters: readonly SqlValue[]): void;
  exec(sql: string): void;
  /** All of `work` or nothing of it, alone among the writers of the file. Not nested. */
  transaction<T>(work: () => T): T;
  /** Whether anything was lost that should have been written: the disk was full or failed, the file locked or damaged. */
  hasFailed(): boolean;
  close(): void;
}

const inMemory = ':memory:';
/** Another process holds the write lock for microseconds; this long only if it was stopped in the middle. */
const busyTimeoutMs = 10_000;
/** 32 MiB between two checkpoints: each of them waits for the disk. */
const checkpointPages = 8_192;
/** Filters make statements of any shape: their number is bounded. */
const maxStatements = 300;

export function openDatabase(path: string): Database {
  let failed = false;
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const told = toStoreError(error, path);
      failed ||= told !== error;
      throw told;
    }
  };
  const connection = guard(() => connect(path));
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    if (statements.size >= maxStatements) statements.clear();
    const statement = connection.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const bind = (parameters: readonly SqlValue[]) => parameters as SQLInputValue[];
  return {
    path,
    get: (sql, ...parameters) => guard(() => prepare(sql).get(...bind(parameters)) as Row | undefined),
    all: (sql, ...parameters) => guard(() => prepare(sql).all(...bind(parameters)) as Row[]),
    each: (sql, parameters, visit) =>
      guard(() => {
        for (const row of prepare(sql).iterate(...bind(parameters))) if (!visit(row as Row)) break;
      }),
    run: (sql, ...parameters) => guard(() => void prepare(sql).run(...bind(parameters))),
    exec: (sql) => guard(() => connection.exec(sql)),
    transaction: (work) => guard(() => inTransaction(prepare, work)),
    hasFailed: () => failed,
    close: () => guard(() => closeConnection(connection)),
  };
}

function connect(path: string): DatabaseSync {
  const connection = new DatabaseSync(path);
  connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  if (path !== inMemory) connection.exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  // WAL with NORMAL: a killed process loses nothing that was acknowledged, a power cut at most the last transactions.
  connection.exec('PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000');
  // Secrets leave the records when their container ends: what is freed is overwritten wherever the page is written anyway.
  connection.exec('PRAGMA secure_delete = FAST');
  connection.function('canonical_json', { deterministic: true }, (text) =>
    typeof text === 'string' ? toCanonicalJson(parseJson(text)) : null,
  );
  return connection;
}

function inTransaction<T>(prepare: (sql: string) => StatementSync, work: () => T): T {
  prepare('BEGIN IMMEDIATE').run();
  try {
    const result = work();
    prepare('COMMIT').run();
    return result;
  } catch (error) {
    try {
      prepare('ROLLBACK').run();
    } catch {
      // A full disk or a damaged file has rolled back by itself; the first error says what happened.
    }
    throw error;
  }
}

function closeConnection(connection: DatabaseSync): void {
  if (connection.isOpen) connection.close();
}
