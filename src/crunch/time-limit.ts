import type { Container } from '../api/records.ts';
import { crunchError } from './errors.ts';
import { withLimit } from './limit.ts';

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
  const watch = (reached: (reason: Error) => void) => {
    const timer = setTimeout(() => reached(timeLimit(seconds)), seconds * 1000);
    return () => clearTimeout(timer);
  };
  return withLimit(signal, watch, task);
}

function timeLimit(seconds: number) {
  return crunchError('crunch/time-limit', `the time limit of ${seconds} s was reached: the command was ended`, {
    hint: 'raise the timelimit of the ToolTimeLimit requirement, or find out why the command takes so long',
  });
}
