import { setTimeout as delay } from 'node:timers/promises';
import { HallmarkError, toMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

export interface Retry {
  /** Before the second attempt, the third, …; each is shortened by chance, so that clients do not come back together. */
  readonly delaysMs: readonly number[];
  readonly logger: Logger;
}

/** About a minute in all: long enough for a server to be started anew. */
export const patientDelaysMs: readonly number[] = [200, 1000, 2000, 4000, 8000, 16_000, 30_000];

/** Statuses of a server that may do better later (Arvados sdk/python `retry.py`, and 429). 507 is a full disk: it stays. */
export const isTemporary = (status: number): boolean =>
  status === 408 || status === 423 || status === 429 || (status >= 500 && status !== 501 && status !== 507);

/** Repeats what fails with a retryable error. `task` learns how often it was tried before. */
export async function withRetries<T>(
  { delaysMs, logger }: Retry,
  task: (before: number) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let before = 0; ; before += 1) {
    const delayMs = delaysMs[before];
    try {
      return await task(before);
    } catch (error) {
      if (delayMs === undefined || !(error instanceof HallmarkError && error.retryable)) throw error;
      const waitMs = Math.round(delayMs * (0.5 + Math.random() / 2));
      logger[before === 0 ? 'debug' : 'info'](`${toMessage(error)}; trying again in ${waitMs} ms`);
      await delay(waitMs, undefined, signal ? { signal } : {});
    }
  }
}
