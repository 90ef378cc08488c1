import type { Life } from './life.ts';

/** Waits until the container's processes may start; fails with the reason of the signal. */
export async function untilTurn({ deps, signal }: Pick<Life, 'deps' | 'signal'>): Promise<void> {
  signal.throwIfAborted();
  if (deps.turn === undefined) return;
  const aborted = Promise.withResolvers<void>();
  const stop = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([deps.turn, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
