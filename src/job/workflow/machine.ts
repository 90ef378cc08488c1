import type { Process } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import type { ExpressionEngine } from '../evaluate.ts';
import type { JobFiles } from '../files.ts';
import type { JobResult, JobStatus, Requirements, StepJob } from '../model.ts';

export interface MachineOptions {
  readonly javascript: ExpressionEngine;
  readonly keep: JobFiles;
  /** After a failure: start nothing more, or whatever does not depend on what failed. */
  readonly onError: 'stop' | 'continue';
  /** Told of what makes no job, or more of them than can be seen yet; for progress. */
  readonly onScatter?: (name: string, size: number) => void;
  readonly onSkip?: (name: string) => void;
}

export type Done = (result: JobResult) => void;

/** Makes some progress: starts jobs or queues more work. True: call again. */
export type Work = () => Promise<boolean>;

/** A process in its place. */
export interface Placed {
  readonly process: Process;
  readonly name: string;
  readonly requirements: Requirements;
}

/**
 * What the parts of a workflow's state share: the stack of work that can go on, and the jobs handed out. The newest work goes
 * first, so that what is begun is finished before more is begun: a wide scatter of subworkflows never has all of them open.
 */
export interface Machine {
  readonly options: MachineOptions;
  queue(work: Work): void;
  start(job: Omit<StepJob, 'id'>, done: Done): void;
  /** Runs the process, as a job or as a workflow. */
  run(placed: Placed, inputs: CwlObject, done: Done): void;
  /** Takes note of an error that is no job's result. */
  fail(name: string, error: unknown): void;
  /** The value as it is now, after updates in place. */
  current(value: CwlValue): CwlValue;
}

export const worstStatus = (a: JobStatus, b: JobStatus): JobStatus => {
  if (a === 'permanentFail' || b === 'permanentFail') return 'permanentFail';
  return a === 'success' ? b : a;
};
