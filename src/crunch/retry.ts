import { setTimeout as sleep } from 'node:timers/promises';
import { HallmarkError } from '../core/errors.ts';

const delaysMs = [20, 200, 1000, 4000];

/** Asks again while who failed says that it may help. */
export async function withRetries<T>(task: () => Promise<T>): Promise<T> {
  for (const delayMs of delaysMs) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof HallmarkError && error.retryable)) throw error;
      await sleep(delayMs);
    }
  }
  return task();
}
