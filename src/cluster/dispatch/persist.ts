import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** Of work that a dispatcher owes to the record file. */
export interface Persistence {
  /** Does `work`, again and again while the file refuses it; resolves when it is done or given up. Never fails. */
  persist(work: () => void | Promise<void>): Promise<void>;
  /** Aborted when something was given up. */
  readonly failed: AbortSignal;
}

export interface PersistenceOptions {
  readonly logger: Logger;
  readonly retryMs?: number;
}

/** With the half second between two, long enough for somebody to make room, and short enough to be waited for. */
const maxTries = 10;

export function createPersistence({ logger, retryMs = 500 }: PersistenceOptions): Persistence {
  const failure = new AbortController();
  return {
    failed: failure.signal,
    async persist(work) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await work();
        } catch (error) {
          if (tries === 1) logger.error(`dispatcher: ${toMessage(error)}`);
          if (tries === maxTries || failure.signal.aborted) return failure.abort(error);
          await sleep(retryMs);
        }
      }
    },
  };
}
