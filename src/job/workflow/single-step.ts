import type { CwlType, InputParameter, Process, Workflow, WorkflowStep } from '../../cwl/model.ts';
import { jobError } from '../errors.ts';
import { inheritRequirements } from '../requirements.ts';

/** The workflow with one of its steps alone (`--single-step`): its inputs are those of the step, its outputs what the step gives. */
export function selectStep(workflow: Workflow, name: string): Workflow {
  const step = findStep(workflow, name);
  const alone = step.in.map((input) => ({ ...input, source: [input.id], sourceIsList: false }));
  const outputs = step.out.map((id) => ({
    ...{ id, type: optional('Any'), secondaryFiles: [], format: [], streamable: false, position: step.position },
    ...{ outputSource: [`${step.name}/${id}`], outputSourceIsList: false, linkMerge: 'merge_nested' as const },
  }));
  const inputs = step.in.map((input) => toWorkflowInput(step, input));
  return { ...workflow, inputs, outputs, steps: [{ ...step, in: alone }] };
}

/** What a step runs, alone (`--single-process`): no scatter, condition, default or valueFrom of the step; what it inherits stays. */
export function selectStepProcess(workflow: Workflow, name: string): Process {
  const step = findStep(workflow, name);
  const { requirements, hints } = inheritRequirements(inheritRequirements(workflow, step), step.run);
  return { ...step.run, requirements, hints };
}

/** As the process declares it; where the step changes the value on the way, of any type. */
function toWorkflowInput(step: WorkflowStep, input: WorkflowStep['in'][number]): InputParameter {
  const { id, position } = input;
  const isChanged = input.valueFrom !== undefined || input.pickValue !== undefined || step.loop !== undefined;
  const declared = isChanged ? undefined : step.run.inputs.find((parameter) => parameter.id === id);
  const mayBeMissing = declared === undefined || declared.hasDefault || input.default !== undefined;
  const { default: _, ...parameter } = declared ?? undeclared;
  const type = mayBeMissing ? optional(parameter.type) : parameter.type;
  const isScattered = step.scatter.includes(id);
  return { ...parameter, id, position, hasDefault: false, type: isScattered ? { type: 'array', items: type } : type };
}

const undeclared: Omit<InputParameter, 'id' | 'position'> = {
  type: 'Any',
  ...{ secondaryFiles: [], format: [], streamable: false, loadContents: false, hasDefault: false },
};

const optional = (type: CwlType): CwlType => ['null', type];

function findStep(workflow: Workflow, name: string): WorkflowStep {
  const found = workflow.steps.find((step) => step.name === name);
  if (found) return found;
  const names = workflow.steps.map((step) => step.name);
  throw jobError('job/no-such-target', `expected the name of a step, got ${JSON.stringify(name)}`, {
    hint: `the workflow has ${names.slice(0, 10).join(', ')}`,
  });
}
