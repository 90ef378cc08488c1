import type { ChangeFeed } from './change-feed.ts';
import type { Database } from './database.ts';

/** Runs calls that change records; those that come in one turn of the event loop share a transaction. */
export interface Batch {
  /** Resolves once the call is kept; a call that fails undoes itself alone. In the order of the calls. */
  add<T>(call: () => T): Promise<T>;
  /** Runs what waits, now. */
  flush(): void;
}

interface Pending {
  /** Runs the call and remembers what came of it; false when it has failed. */
  run(): boolean;
  /** Tells the caller. */
  settle(): void;
  reject(reason: unknown): void;
}

/** A commit costs more than the call itself: a scatter's requests and its containers' transitions come many at a time. */
export function createBatch(db: Database, feed: ChangeFeed, write: (work: () => void) => void): Batch {
  let waiting: Pending[] = [];
  const flush = () => {
    const calls = waiting;
    waiting = [];
    if (calls.length === 0) return;
    try {
      write(() => {
        for (const call of calls) runAlone(db, feed, call);
      });
    } catch (error) {
      for (const call of calls) call.reject(error);
      return;
    }
    for (const call of calls) call.settle();
  };
  return {
    add: (call) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push(toPending(call, resolve, reject));
      }),
    flush,
  };
}

/** One of several in a transaction: its failure leaves the others. */
function runAlone(db: Database, feed: ChangeFeed, call: Pending): void {
  db.run('SAVEPOINT call');
  const undo = feed.mark();
  if (!call.run()) {
    undo();
    db.run('ROLLBACK TO call');
  }
  db.run('RELEASE call');
}

function toPending<T>(call: () => T, resolve: (value: T) => void, reject: (reason: unknown) => void): Pending {
  let settle = () => {};
  return {
    run: () => {
      try {
        const value = call();
        settle = () => resolve(value);
        return true;
      } catch (error) {
        settle = () => reject(error);
        return false;
      }
    },
    settle: () => settle(),
    reject,
  };
}
