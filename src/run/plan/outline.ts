import type { Process, Workflow, WorkflowStep } from '../../cwl/model.ts';
import type { StepPlan } from './model.ts';

/**
 * All steps in the order of the document: those that were reached as they are `known`, and the others by what follows from the
 * links: a step behind one whose outputs are not known yet waits, and any other was left out by its condition or its scatter.
 */
export function outlineSteps(process: Process, known: readonly StepPlan[]): StepPlan[] {
  if (process.class !== 'Workflow') return [...known];
  const steps: StepPlan[] = [];
  const instances = groupByInstance(known);
  outlineWorkflow(process, { prefix: '', known, instances, steps });
  return steps;
}

interface Outline {
  /** Path of the workflow, with a slash at its end unless it is the whole. */
  readonly prefix: string;
  readonly known: readonly StepPlan[];
  readonly instances: Instances;
  readonly steps: StepPlan[];
}

/** By path without the index of the last name: what was planned at that path, and the paths, with index, that lead further. */
type Instances = ReadonlyMap<string, { readonly own: StepPlan[]; readonly prefixes: Set<string> }>;

function groupByInstance(known: readonly StepPlan[]): Instances {
  const instances = new Map<string, { own: StepPlan[]; prefixes: Set<string> }>();
  const at = (path: string) => {
    const found = instances.get(path) ?? { own: [], prefixes: new Set<string>() };
    instances.set(path, found);
    return found;
  };
  for (const plan of known) {
    at(withoutIndex(plan.step)).own.push(plan);
    for (let slash = plan.step.indexOf('/'); slash >= 0; slash = plan.step.indexOf('/', slash + 1)) {
      const prefix = plan.step.slice(0, slash);
      at(withoutIndex(prefix)).prefixes.add(`${prefix}/`);
    }
  }
  return instances;
}

const withoutIndex = (path: string): string => path.replace(/(\[\d+\]|#\d+)+$/, '');

/** Whether all outputs are known. A step waits for others of its workflow only, so one pass in order of links is enough. */
function outlineWorkflow(workflow: Workflow, outline: Outline): boolean {
  const unknown = new Map<string, string>();
  const found = new Map<string, StepPlan[]>();
  for (const step of inOrder(workflow)) {
    const steps: StepPlan[] = [];
    found.set(step.name, steps);
    const path = outline.prefix + step.name;
    const source = sourceNames(step).find((name) => unknown.has(name));
    const isKnown =
      source === undefined
        ? outlineStep(step, path, { ...outline, steps })
        : wait(step.run, path, `its inputs come from ${source}`, steps);
    if (!isKnown) unknown.set(step.name, step.name);
  }
  for (const { name } of workflow.steps) outline.steps.push(...(found.get(name) ?? []));
  return unknown.size === 0;
}

function outlineStep(step: WorkflowStep, path: string, outline: Outline): boolean {
  const { own, prefixes } = outline.instances.get(path) ?? { own: [], prefixes: new Set<string>() };
  outline.steps.push(...own);
  let isKnown = own.every(({ action }) => action === 'reuse' || action === 'evaluate');
  if (step.run.class === 'Workflow') {
    for (const prefix of prefixes) isKnown = outlineWorkflow(step.run, { ...outline, prefix }) && isKnown;
  }
  if (own.length + prefixes.size === 0) outline.steps.push({ step: path, action: 'skip', because: reasonToSkip(step) });
  return isKnown;
}

function reasonToSkip(step: WorkflowStep): string {
  if (step.when !== undefined || step.loop) return 'its condition does not hold';
  return step.scatter.length > 0 ? 'there is nothing to scatter over' : 'it has no work of its own';
}

/** Every tool below waits. */
function wait(process: Process, path: string, because: string, steps: StepPlan[]): false {
  if (process.class !== 'Workflow') steps.push({ step: path, action: 'wait', because });
  else for (const step of process.steps) wait(step.run, `${path}/${step.name}`, because, steps);
  return false;
}

const sourceNames = (step: WorkflowStep): string[] =>
  step.in.flatMap(({ source }) =>
    source.flatMap((name) => (name.includes('/') ? [name.slice(0, name.indexOf('/'))] : [])),
  );

/** Each step behind those that it takes from. Documents have no cycles: loading refuses them. */
function inOrder(workflow: Workflow): WorkflowStep[] {
  const byName = new Map(workflow.steps.map((step) => [step.name, step]));
  const ordered = new Set<WorkflowStep>();
  const stack = workflow.steps.toReversed();
  for (let step = stack.at(-1); step; step = stack.at(-1)) {
    const before = ordered.has(step)
      ? []
      : sourceNames(step).flatMap((name) => {
          const source = byName.get(name);
          return source && !ordered.has(source) ? [source] : [];
        });
    if (before.length > 0) stack.push(...before);
    else ordered.add(stack.pop() as WorkflowStep);
  }
  return [...ordered];
}
