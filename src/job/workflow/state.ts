import type { Process } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { mapFileObjects, mapTree, withNames, withoutNames, withoutPaths } from '../file-objects.ts';
import type { JobResult, JobStatus, Requirements, StepJob } from '../model.ts';
import { inheritRequirements, noRequirements, unsupportedOperation } from '../requirements.ts';
import { type Done, type Machine, type MachineOptions, type Placed, type Work, worstStatus } from './machine.ts';
import { runWorkflow } from './run.ts';
import { guard } from './step-run.ts';

/**
 * The state of one run of a process, which does no work itself: it hands out jobs and takes their results. Each job and each
 * link costs the same, however many there are.
 */
export interface WorkflowState {
  /**
   * The next job that can start, or undefined while there is none: take in a result and ask again, or look at `outcome`. Ask for
   * as many as there is room for; a scatter makes its elements only when they are asked for. One call at a time.
   */
  next(): Promise<StepJob | undefined>;
  /** Takes the result of a job that `next` gave. May be called while `next` is under way. */
  finish(id: number, result: JobResult): void;
  /** Jobs handed out and not finished. */
  readonly running: number;
  /** Set once nothing runs and nothing more can start. */
  readonly outcome: JobResult | undefined;
  /** Errors of links and expressions, which are no job's result, in order. */
  readonly failures: readonly WorkflowFailure[];
}

export interface WorkflowFailure {
  /** Path of step names; `''` for the process itself. */
  readonly name: string;
  readonly error: unknown;
}

export interface StartOptions extends MachineOptions {
  /** Of the job at the top when the process is no workflow. */
  readonly name?: string;
  /** In effect around the process, such as the default container as a hint. */
  readonly requirements?: Requirements;
}

/** Starts `process`, checked by `refuseUnsupported`, on inputs whose files are in Keep or literals. */
export function startWorkflow(process: Process, inputs: CwlObject, options: StartOptions): WorkflowState {
  const stack: Work[] = [];
  const ready: StepJob[] = [];
  const pending = new Map<number, Done>();
  const failures: WorkflowFailure[] = [];
  const replaced = new Map<string, string>();
  let lastId = 0;
  let stoppedWith: JobStatus | undefined;
  let outcome: JobResult | undefined;

  const stopOnError = (status: JobStatus) => {
    if (options.onError === 'stop') stoppedWith = worstStatus(stoppedWith ?? 'success', status);
  };
  const machine: Machine = {
    options,
    queue: (work) => stack.push(work),
    start: (job, done) => {
      lastId += 1;
      pending.set(lastId, done);
      ready.push({ ...job, id: lastId });
    },
    run: (placed, given, done) => runProcess(machine, placed, given, done),
    fail: (name, error) => {
      failures.push({ name, error });
      stopOnError('permanentFail');
    },
    current: (value) => (replaced.size === 0 ? value : replaceLocations(value, replaced)),
  };

  const requirements = inheritRequirements(options.requirements ?? noRequirements, process);
  const name = process.class === 'Workflow' ? '' : (options.name ?? 'main');
  machine.run({ process, name, requirements }, inputs, (result) => {
    outcome = {
      status: result.status,
      outputs: withoutNames(withoutPaths(machine.current(result.outputs) as CwlObject)),
    };
  });

  return {
    async next() {
      while (ready.length === 0 && stack.length > 0 && !stoppedWith) await workOnce(stack);
      return stoppedWith ? undefined : ready.shift();
    },
    finish(id, result) {
      const done = pending.get(id);
      if (!done) return;
      pending.delete(id);
      for (const [before, after] of result.replaced ?? []) replaced.set(before, after);
      if (result.status !== 'success') stopOnError(result.status);
      done({ status: result.status, outputs: withNames(result.outputs) });
    },
    get running() {
      return pending.size - ready.length;
    },
    get outcome(): JobResult | undefined {
      if (outcome && pending.size === 0) return outcome;
      const isOver = pending.size === ready.length;
      return stoppedWith && isOver ? { status: stoppedWith, outputs: {} } : undefined;
    },
    failures,
  };
}

/** Work that asks to be called again goes back below what it has queued. */
async function workOnce(stack: Work[]): Promise<void> {
  const work = stack.pop();
  if (!work) return;
  const height = stack.length;
  if (await work()) stack.splice(height, 0, work);
}

function runProcess(machine: Machine, placed: Placed, inputs: CwlObject, done: Done): void {
  const { process, name, requirements } = placed;
  if (process.class === 'Operation') throw unsupportedOperation(process);
  if (process.class !== 'Workflow') {
    machine.start({ name, process, inputs, requirements }, done);
    return;
  }
  machine.queue(async () => {
    await guard(machine, name, done, () => runWorkflow(machine, { ...placed, process }, inputs, done));
    return false;
  });
}

/** Files changed in place are seen, by whoever asks later, as they are now (CWL v1.2, InplaceUpdateRequirement). */
function replaceLocations(value: CwlValue, replaced: ReadonlyMap<string, string>): CwlValue {
  return mapFileObjects(value, (outer) =>
    mapTree(outer, (object) => {
      const location = replaced.get(object.location ?? '');
      if (location === undefined) return object;
      const { size: _size, checksum: _checksum, ...rest } = object;
      return { ...rest, location } as typeof object;
    }),
  );
}
