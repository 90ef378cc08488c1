import type { StepLoop, WorkflowStep, WorkflowStepInput } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { jobError } from '../errors.ts';
import { bindExpressions } from '../evaluate.ts';
import { refuseNewHostFiles } from '../inputs/given-files.ts';
import { loadContents, loadListing } from '../inputs/load.ts';
import type { JobStatus, Requirements } from '../model.ts';
import { inheritRequirements } from '../requirements.ts';
import { linkValue } from './links.ts';
import { type Done, type Machine, worstStatus } from './machine.ts';
import { planScatter } from './scatter.ts';

/** A step in its place: the path of names, and what is in effect for it from the workflow and itself. */
export interface PlacedStep {
  readonly step: WorkflowStep;
  readonly name: string;
  readonly requirements: Requirements;
  readonly cwlVersion: string;
}

/** Runs one step whose sources are settled: links, then scatter, then valueFrom, `when` and `loop` of each element. */
export async function runStep(
  machine: Machine,
  placed: PlacedStep,
  lookUp: (source: string) => CwlValue,
  done: Done,
): Promise<void> {
  const { step } = placed;
  const inputs: Record<string, CwlValue> = {};
  for (const input of step.in) inputs[input.id] = machine.current(await gather(machine, placed, input, lookUp));
  if (step.scatter.length === 0) await runElement(machine, placed, inputs, done);
  else scatter(machine, placed, inputs, done);
}

async function gather(
  machine: Machine,
  { step, name, cwlVersion }: PlacedStep,
  input: WorkflowStepInput,
  lookUp: (source: string) => CwlValue,
): Promise<CwlValue> {
  const linked = linkValue({ ...input, name: `${name}/${input.id}` }, lookUp);
  const value = linked ?? (input.default as CwlValue | undefined) ?? null;
  const options = { keep: machine.options.keep, cwlVersion };
  const loaded = input.loadContents ? await loadContents(value, options) : value;
  const isScattered = step.scatter.includes(input.id);
  return input.loadListing && !isScattered ? loadListing(loaded, input.loadListing, options.keep) : loaded;
}

function scatter(machine: Machine, placed: PlacedStep, inputs: CwlObject, done: Done): void {
  const { step, name } = placed;
  const plan = planScatter(step, inputs);
  machine.options.onScatter?.(name, plan.count);
  const results: CwlObject[] = new Array(plan.count);
  let unfinished = plan.count;
  let status: JobStatus = 'success';
  const finish = () => {
    const outputs = step.out.map((id) => [id, plan.shape(results.map((result) => result[id] ?? null))] as const);
    done({ status, outputs: Object.fromEntries(outputs) });
  };
  if (plan.count === 0) {
    finish();
    return;
  }
  let next = 0;
  machine.queue(async () => {
    const index = next;
    next += 1;
    const elementDone: Done = (result) => {
      results[index] = result.outputs;
      status = worstStatus(status, result.status);
      unfinished -= 1;
      if (unfinished === 0) finish();
    };
    await guard(machine, `${name}[${index}]`, elementDone, () =>
      runElement(machine, { ...placed, name: `${name}[${index}]` }, plan.inputsAt(index), elementDone),
    );
    return next < plan.count;
  });
}

/** An error while a part is prepared fails that part alone. */
export async function guard(machine: Machine, name: string, done: Done, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    machine.fail(name, error);
    done({ status: 'permanentFail', outputs: {} });
  }
}

async function runElement(machine: Machine, placed: PlacedStep, linked: CwlObject, done: Done): Promise<void> {
  const { step } = placed;
  const inputs = await evaluateValues(machine, placed, step.in, linked);
  if (step.loop) return runLoop(machine, placed, step.loop, { inputs, done });
  if (!(await isWanted(machine, placed, step.when, inputs))) {
    machine.options.onSkip?.(placed.name);
    return done({ status: 'success', outputs: noOutputs(step) });
  }
  runProcess(machine, placed, inputs, done);
}

const noOutputs = (step: WorkflowStep): CwlObject => Object.fromEntries(step.out.map((id) => [id, null]));

function runProcess(machine: Machine, { step, name, requirements }: PlacedStep, inputs: CwlObject, done: Done): void {
  machine.run({ process: step.run, name, requirements: inheritRequirements(requirements, step.run) }, inputs, done);
}

/** `valueFrom`: every expression sees the inputs as they were before any of them (CWL v1.2, WorkflowStepInput). */
async function evaluateValues(
  machine: Machine,
  placed: PlacedStep,
  links: readonly WorkflowStepInput[],
  inputs: CwlObject,
): Promise<CwlObject> {
  if (links.every((link) => link.valueFrom === undefined)) return inputs;
  const expressions = bind(machine, placed, inputs);
  const evaluated: Record<string, CwlValue | undefined> = { ...inputs };
  for (const { id, valueFrom } of links) {
    if (valueFrom === undefined) continue;
    const value = (await expressions.evaluate(valueFrom, `${id}.valueFrom`, inputs[id] ?? null)) as CwlValue;
    refuseNewHostFiles(value, inputs, `${id}.valueFrom`, { ...placed.step.position, step: placed.name });
    evaluated[id] = value;
  }
  return evaluated as CwlObject;
}

function bind(machine: Machine, { step, name, requirements, cwlVersion }: PlacedStep, inputs: CwlObject) {
  const where = { ...step.position, step: name };
  return bindExpressions({ javascript: machine.options.javascript, requirements, inputs, cwlVersion, where });
}

async function isWanted(
  machine: Machine,
  placed: PlacedStep,
  condition: string | undefined,
  inputs: CwlObject,
): Promise<boolean> {
  if (condition === undefined) return true;
  const value = await bind(machine, placed, inputs).evaluate(condition, 'when');
  if (typeof value === 'boolean') return value;
  throw jobError('job/bad-condition', `when: expected true or false, got ${JSON.stringify(value)}`, {
    hint: 'let the expression compare, as in $(inputs.count > 0)',
    where: { ...placed.step.position, step: placed.name },
  });
}

interface LoopState {
  readonly inputs: CwlObject;
  readonly done: Done;
  readonly iterations?: readonly CwlObject[];
}

/** cwltool:Loop: again while `when` holds, each time with the inputs that `loop.in` makes of the last outputs. */
async function runLoop(machine: Machine, placed: PlacedStep, loop: StepLoop, state: LoopState): Promise<void> {
  const { step, name } = placed;
  const { inputs, done } = state;
  const results: CwlObject[] = [];
  const iterate = async (current: CwlObject): Promise<void> => {
    if (!(await isWanted(machine, placed, loop.when, current)))
      return done({ status: 'success', outputs: loopOutputs(step, loop, results) });
    runProcess(machine, { ...placed, name: `${name}#${results.length + 1}` }, current, (result) => {
      if (result.status !== 'success') return done(result);
      results.push(result.outputs);
      machine.queue(async () => {
        await guard(machine, name, done, async () =>
          iterate(await nextInputs(machine, placed, loop, { current, outputs: result.outputs })),
        );
        return false;
      });
    });
  };
  await iterate(inputs);
}

function loopOutputs(step: WorkflowStep, loop: StepLoop, results: readonly CwlObject[]): CwlObject {
  const last = results.at(-1) ?? {};
  return Object.fromEntries(
    step.out.map((id) => [
      id,
      loop.outputMethod === 'all' ? results.map((result) => result[id] ?? null) : (last[id] ?? null),
    ]),
  );
}

/** What `loop.in` does not name stays as it was. */
async function nextInputs(
  machine: Machine,
  placed: PlacedStep,
  loop: StepLoop,
  { current, outputs }: { readonly current: CwlObject; readonly outputs: CwlObject },
): Promise<CwlObject> {
  const lookUp = (source: string) => outputs[source.slice(source.lastIndexOf('/') + 1)] ?? null;
  const next: Record<string, CwlValue | undefined> = { ...current };
  for (const input of loop.in) {
    if (input.source.length > 0 || input.default !== undefined)
      next[input.id] = await gather(machine, placed, input, lookUp);
  }
  return evaluateValues(machine, placed, loop.in, next as CwlObject);
}
