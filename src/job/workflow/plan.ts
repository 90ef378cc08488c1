import type { Workflow, WorkflowStep } from '../../cwl/model.ts';

/** What follows from a workflow's links alone; computed once, shared by all its runs. */
export interface WorkflowPlan {
  /** Steps that wait for a source, by `name` or `step/name`. */
  readonly consumers: ReadonlyMap<string, readonly number[]>;
  /** How many different sources each step waits for. */
  readonly sourceCounts: readonly number[];
}

const plans = new WeakMap<Workflow, WorkflowPlan>();

export function planWorkflow(workflow: Workflow): WorkflowPlan {
  const known = plans.get(workflow);
  if (known) return known;
  const consumers = new Map<string, number[]>();
  const sourceCounts = workflow.steps.map((step, index) => {
    const sources = sourcesOf(step);
    for (const source of sources) {
      const waiting = consumers.get(source);
      if (waiting) waiting.push(index);
      else consumers.set(source, [index]);
    }
    return sources.size;
  });
  const plan = { consumers, sourceCounts };
  plans.set(workflow, plan);
  return plan;
}

export const sourcesOf = (step: WorkflowStep): Set<string> => new Set(step.in.flatMap((input) => input.source));
