import type { Container } from '../api/records.ts';
import { crunchError } from './errors.ts';

/** setTimeout takes no more; a limit of 24 days is none. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Runs `task` with a signal that also ends at the container's `max_run_time`, counted from now. Fails with
 * `crunch/time-limit` when it was that.
 */
export async function withTimeLimit<T>(
  container: Container,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const seconds = container.scheduling_parameters.max_run_time ?? 0;
  if (seconds <= 0 || seconds * 1000 > maxTimerMs) return task(signal);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(timeLimit(seconds)), seconds * 1000);
  try {
    return await task(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    throw limit.signal.aborted && !signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function timeLimit(seconds: number) {
  return crunchError('crunch/time-limit', `the time limit of ${seconds} s was reached: the command was ended`, {
    hint: 'raise the timelimit of the ToolTimeLimit requirement, or find out why the command takes so long',
  });
}
