/**
 * Runs `task` with a signal that also ends when the limit is reached; the task fails then with the reason that `watch` gave.
 * `watch` returns the call that ends the watching.
 */
export async function withLimit<T>(
  signal: AbortSignal,
  watch: (reached: (reason: Error) => void) => () => void,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const stopWatching = watch((reason) => limit.abort(reason));
  try {
    return await task(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    throw limit.signal.aborted && !signal.aborted ? limit.signal.reason : error;
  } finally {
    stopWatching();
  }
}
