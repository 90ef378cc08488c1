import { availableParallelism } from 'node:os';
import { createLimiter } from '../core/concurrency.ts';
import type { Executor } from '../executor/port.ts';

/** Of one executor: each keeps a core busy, and an engine that starts a hundred answers no question meanwhile. */
export const startsAtOnce = Math.max(4, 2 * availableParallelism());

const limiters = new WeakMap<Executor, ReturnType<typeof createLimiter>>();

/** Starts a container when few others of the executor are being started. Fails with the reason of the signal where that comes first. */
export async function startInTurn<T>(executor: Executor, signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  const limited = limiters.get(executor) ?? createLimiter(startsAtOnce);
  limiters.set(executor, limited);
  return limited(async () => {
    signal.throwIfAborted();
    return start();
  });
}
