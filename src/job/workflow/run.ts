import type { Workflow } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { toProcessInputs } from '../inputs/inputs.ts';
import { asksToLoad, loadInput } from '../inputs/load.ts';
import type { JobResult, JobStatus } from '../model.ts';
import { inheritRequirements } from '../requirements.ts';
import { linkValue } from './links.ts';
import { type Done, type Machine, type Placed, worstStatus } from './machine.ts';
import { planWorkflow } from './plan.ts';
import { guard, runStep } from './step-run.ts';

interface Settled {
  readonly value: CwlValue;
  readonly isGood: boolean;
}

/** Runs one workflow: a step starts once all its sources are settled. Costs are linear in steps and links. */
export async function runWorkflow(
  machine: Machine,
  placed: Placed & { readonly process: Workflow },
  given: CwlObject,
  done: Done,
): Promise<void> {
  const { process: workflow } = placed;
  const plan = planWorkflow(workflow);
  const settled = new Map<string, Settled>();
  const waitingFor = [...plan.sourceCounts];
  let unfinished = workflow.steps.length;
  let status: JobStatus = 'success';

  const settle = (source: string, value: Settled): number[] => {
    settled.set(source, value);
    return (plan.consumers.get(source) ?? []).filter((index) => {
      waitingFor[index] = (waitingFor[index] ?? 0) - 1;
      return waitingFor[index] === 0;
    });
  };
  const stepDone = (index: number, result: JobResult) => {
    const step = workflow.steps[index];
    if (!step) return;
    status = worstStatus(status, result.status);
    const isGood = result.status === 'success';
    const ready = step.out.flatMap((id) => settle(`${step.name}/${id}`, { value: result.outputs[id] ?? null, isGood }));
    unfinished -= 1;
    if (unfinished === 0) finish();
    else queueSteps(ready);
  };
  const startStep = async (index: number) => {
    const step = workflow.steps[index];
    if (!step) return;
    const name = placed.name === '' ? step.name : `${placed.name}/${step.name}`;
    const finished: Done = (result) => stepDone(index, result);
    const isBlocked = step.in.some((input) => input.source.some((source) => settled.get(source)?.isGood === false));
    if (isBlocked) return finished({ status, outputs: {} });
    const requirements = inheritRequirements(placed.requirements, step);
    const inPlace = { step, name, requirements, cwlVersion: workflow.cwlVersion };
    await guard(machine, name, finished, () =>
      runStep(machine, inPlace, (source) => settled.get(source)?.value ?? null, finished),
    );
  };
  const queueSteps = (indexes: readonly number[]) => {
    for (const index of indexes.toReversed()) {
      machine.queue(async () => {
        await startStep(index);
        return false;
      });
    }
  };
  const finish = () => {
    machine.queue(async () => {
      await guard(machine, placed.name, done, async () => done({ status, outputs: toOutputs(workflow, settled) }));
      return false;
    });
  };

  const inputs = await prepareInputs(machine, placed, given);
  const ready = workflow.steps.flatMap((_, index) => (waitingFor[index] === 0 ? [index] : []));
  for (const [id, value] of Object.entries(inputs)) ready.push(...settle(id, { value: value ?? null, isGood: true }));
  if (workflow.steps.length === 0) finish();
  else queueSteps(ready.sort((a, b) => a - b));
}

async function prepareInputs(
  machine: Machine,
  { process: workflow, name, requirements }: Placed & { readonly process: Workflow },
  given: CwlObject,
): Promise<CwlObject> {
  const inputs: Record<string, CwlValue | undefined> = { ...toProcessInputs(workflow, given, name) };
  const options = { keep: machine.options.keep, cwlVersion: workflow.cwlVersion, requirements };
  for (const input of workflow.inputs) {
    if (asksToLoad(input)) inputs[input.id] = await loadInput(input, inputs[input.id] ?? null, options);
  }
  return inputs as CwlObject;
}

/** Of a workflow that failed: what there is. */
function toOutputs(workflow: Workflow, settled: ReadonlyMap<string, Settled>): CwlObject {
  const outputs: Record<string, CwlValue> = {};
  const isWhole = [...settled.values()].every((source) => source.isGood);
  for (const output of workflow.outputs) {
    const pickValue = isWhole && output.pickValue ? { pickValue: output.pickValue } : {};
    const link = {
      name: output.id,
      position: output.position,
      source: output.outputSource,
      sourceIsList: output.outputSourceIsList,
      linkMerge: output.linkMerge,
      ...pickValue,
    };
    outputs[output.id] = linkValue(link, (source) => settled.get(source)?.value ?? null);
  }
  return outputs;
}
