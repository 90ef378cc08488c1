import type { CwlType, SecondaryFile, Workflow, WorkflowStep } from '../model.ts';
import { arrayOf, withNull } from './types.ts';

/** A workflow input or step output that values come from. */
export interface Origin {
  readonly name: string;
  readonly type: CwlType;
  readonly secondaryFiles: readonly SecondaryFile[];
  readonly isConditional: boolean;
}

/** By the names that sources are written with: `input` and `step/output`. */
export function originsOf(workflow: Workflow): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const { id, type, secondaryFiles } of workflow.inputs) {
    origins.set(id, { name: id, type, secondaryFiles, isConditional: false });
  }
  for (const step of workflow.steps) {
    const outputs = new Map(step.run.outputs.map((output) => [output.id, output]));
    for (const id of step.out) {
      const output = outputs.get(id);
      const name = `${step.name}/${id}`;
      const type = output ? outputType(output.type, step) : 'Any';
      origins.set(name, {
        name,
        type,
        secondaryFiles: output?.secondaryFiles ?? [],
        isConditional: step.when !== undefined,
      });
    }
  }
  return origins;
}

/** What a step makes of an output's type: scatter and loops of all iterations wrap it in arrays, a condition may leave it null. */
function outputType(type: CwlType, step: WorkflowStep): CwlType {
  const single = step.when === undefined ? type : withNull(type);
  const looped = step.loop?.outputMethod === 'all' ? arrayOf(single) : step.loop ? withNull(single) : single;
  return wrap(looped, scatterDepth(step));
}

const scatterDepth = (step: WorkflowStep): number =>
  step.scatter.length === 0 ? 0 : step.scatterMethod === 'nested_crossproduct' ? step.scatter.length : 1;

function wrap(type: CwlType, depth: number): CwlType {
  return depth === 0 ? type : wrap(arrayOf(type), depth - 1);
}
