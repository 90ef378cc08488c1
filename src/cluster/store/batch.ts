import type { ChangeFeed } from './change-feed.ts';
import type { Database } from './database.ts';

export interface CallOptions {
  /** It waits for others, a moment. */
  readonly lazy?: boolean;
}

const lazyMs = 5;

/** Runs calls that change records; those that come in one turn of the event loop share a transaction. */
export interface Batch {
  /** Resolves once the call is kept; a call that fails undoes itself alone. In the order of the calls. */
  add<T>(call: () => T, options?: CallOptions): Promise<T>;
  /** Runs what waits, now. */
  flush(): void;
}

interface Pending {
  /** Runs the call and remembers what came of it: the failure, if it failed. */
  run(): Failure | undefined;
  /** Tells the caller. */
  settle(): void;
  reject(reason: unknown): void;
}

interface Failure {
  readonly reason: unknown;
}

/** A commit costs more than the call itself: a scatter's requests and its containers' transitions come many at a time. */
export function createBatch(db: Database, feed: ChangeFeed, write: (work: () => void) => void): Batch {
  let waiting: Pending[] = [];
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    const calls = waiting;
    waiting = [];
    isDue = false;
    clearTimeout(timer);
    timer = undefined;
    if (calls.length === 0) return;
    try {
      write(() => {
        if (calls.length > 1) for (const call of calls) runAlone(db, feed, call);
        else for (const call of calls) runOnly(call);
      });
    } catch (error) {
      for (const call of calls) call.reject(error);
      return;
    }
    for (const call of calls) call.settle();
  };
  return {
    add: (call, { lazy = false } = {}) =>
      new Promise((resolve, reject) => {
        waiting.push(toPending(call, resolve, reject));
        if (lazy) timer ??= setTimeout(flush, lazyMs);
        else if (!isDue) setImmediate(flush);
        isDue ||= !lazy;
      }),
    flush,
  };
}

/** Its failure is that of the transaction. */
function runOnly(call: Pending): void {
  const failure = call.run();
  if (failure !== undefined) throw failure.reason;
}

/** One of several in a transaction: its failure leaves the others, unless SQLite has undone them all (a full disk). */
function runAlone(db: Database, feed: ChangeFeed, call: Pending): void {
  db.run('SAVEPOINT call');
  const undo = feed.mark();
  const failure = call.run();
  if (failure !== undefined) {
    undo();
    rollBack(db, failure);
  }
  db.run('RELEASE call');
}

function rollBack(db: Database, failure: Failure): void {
  try {
    db.run('ROLLBACK TO call');
  } catch {
    throw failure.reason;
  }
}

function toPending<T>(call: () => T, resolve: (value: T) => void, reject: (reason: unknown) => void): Pending {
  let settle = () => {};
  return {
    run: () => {
      try {
        const value = call();
        settle = () => resolve(value);
        return undefined;
      } catch (reason) {
        settle = () => reject(reason);
        return { reason };
      }
    },
    settle: () => settle(),
    reject,
  };
}
