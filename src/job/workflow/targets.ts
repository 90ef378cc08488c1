import type { Workflow } from '../../cwl/model.ts';
import { jobError } from '../errors.ts';
import { sourcesOf } from './plan.ts';

/** The part of a workflow that makes the named outputs and runs the named steps, and nothing else (`--target`): inputs that it does not use are not asked for. */
export function selectTargets(workflow: Workflow, targets: readonly string[]): Workflow {
  const steps = new Map(workflow.steps.map((step) => [step.name, step]));
  const outputs = new Map(workflow.outputs.map((output) => [output.id, output]));
  const wanted = new Set<string>();
  const waiting: string[] = [];
  for (const target of targets) {
    const output = outputs.get(target);
    if (output) waiting.push(...output.outputSource.map(stepOf));
    else if (steps.has(target)) waiting.push(target);
    else throw unknownTarget(target, [...outputs.keys(), ...steps.keys()]);
  }
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const step = steps.get(name);
    if (!step || wanted.has(name)) continue;
    wanted.add(name);
    waiting.push(...[...sourcesOf(step)].map(stepOf));
  }
  const isKept = (source: string) => !source.includes('/') || wanted.has(stepOf(source));
  const kept = workflow.steps.filter((step) => wanted.has(step.name));
  const outputsKept = workflow.outputs.filter(
    (output) =>
      targets.includes(output.id) ||
      (output.outputSource.length > 0 &&
        output.outputSource.every(isKept) &&
        output.outputSource.some((source) => targets.includes(stepOf(source)))),
  );
  const used = new Set([
    ...kept.flatMap((step) => [...sourcesOf(step)]),
    ...outputsKept.flatMap(({ outputSource }) => outputSource),
  ]);
  return {
    ...workflow,
    inputs: workflow.inputs.filter((input) => used.has(input.id)),
    steps: kept,
    outputs: outputsKept,
  };
}

/** `''` for an input of the workflow. */
const stepOf = (source: string): string => (source.includes('/') ? source.slice(0, source.indexOf('/')) : '');

function unknownTarget(target: string, names: readonly string[]) {
  return jobError('job/no-such-target', `expected the name of an output or a step, got ${JSON.stringify(target)}`, {
    hint: `the workflow has ${[...new Set(names)].slice(0, 10).join(', ')}`,
  });
}
