import { isHallmarkError, toMessage } from '../core/errors.ts';
import type { JobResult, StepJob } from '../job/model.ts';
import type { WorkflowState } from '../job/workflow/state.ts';
import { runError } from './errors.ts';
import type { RunListener } from './events.ts';

export type RunJob = (job: StepJob) => Promise<JobResult>;

/** Tells that a job starts and that it failed, whatever made it fail; how it went well only the job knows. */
export function tellingEnds(runJob: RunJob, emit: RunListener): RunJob {
  return async (job) => {
    emit({ type: 'step', name: job.name, status: 'started' });
    try {
      return await runJob(job);
    } catch (error) {
      emit({ type: 'step', name: job.name, status: 'failed', because: toMessage(error) });
      throw error;
    }
  };
}

/** Keeps `maxInFlight` jobs going until nothing runs and nothing can start; gives what failed. */
export async function drive(
  state: WorkflowState,
  runJob: RunJob,
  { maxInFlight, signal }: { readonly maxInFlight: number; readonly signal: AbortSignal },
): Promise<unknown[]> {
  const failures: unknown[] = [];
  let inFlight = 0;
  let hasChanged = false;
  let wake: () => void = () => {};

  const start = async (job: StepJob): Promise<void> => {
    inFlight += 1;
    try {
      state.finish(job.id, await runJob(job));
    } catch (error) {
      failures.push(error);
      const temporary = isHallmarkError(error) && error.retryable;
      state.finish(job.id, { status: temporary ? 'temporaryFail' : 'permanentFail', outputs: {} });
    } finally {
      inFlight -= 1;
      hasChanged = true;
      wake();
    }
  };

  for (;;) {
    hasChanged = false;
    while (inFlight < maxInFlight && !signal.aborted) {
      const job = await state.next();
      if (!job) break;
      void start(job);
    }
    // A job that ended while `next` was under way may have made room for another.
    if (hasChanged) continue;
    if (inFlight === 0) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  if (signal.aborted && failures.length === 0)
    failures.push(runError('run/cancelled', 'the run was cancelled', { cause: signal.reason }));
  return [...failures, ...state.failures.map(({ error }) => error)];
}
