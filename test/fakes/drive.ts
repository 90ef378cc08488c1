import type { JsonValue } from '../../src/core/json.ts';
import type { Process } from '../../src/cwl/model.ts';
import type { CwlObject } from '../../src/cwl/values.ts';
import type { JobResult, JobStatus, StepJob } from '../../src/job/model.ts';
import { runExpressionTool } from '../../src/job/tool/expression-job.ts';
import { startWorkflow, type WorkflowState } from '../../src/job/workflow/state.ts';
import { createFakeKeep, fakeJavascript } from './job-kit.ts';

/** What a tool does with its inputs: its outputs, or a status other than success. */
export type FakeTool = (job: StepJob) => CwlObject | JobStatus;

export interface DriveOptions {
  readonly onError?: 'stop' | 'continue';
  /** Jobs that run at once; default 3. */
  readonly width?: number;
  readonly tool?: FakeTool;
}

export interface Driven {
  readonly state: WorkflowState;
  readonly outcome: JobResult;
  /** Names of jobs in the order in which they were handed out. */
  readonly names: readonly string[];
}

/** Runs a process to its end: ExpressionTools as they are, tools by `tool`. The oldest job finishes first. */
export async function drive(process: Process, inputs: CwlObject, options: DriveOptions = {}): Promise<Driven> {
  const keep = createFakeKeep();
  const { onError = 'stop', width = 3, tool = () => ({}) } = options;
  const state = startWorkflow(process, inputs, { javascript: fakeJavascript, keep, onError });
  const open: StepJob[] = [];
  const names: string[] = [];
  for (;;) {
    const job = open.length < width ? await state.next() : undefined;
    if (job) {
      open.push(job);
      names.push(job.name);
      continue;
    }
    const first = open.shift();
    if (!first) break;
    const { process: run } = first;
    if (run.class === 'ExpressionTool') {
      state.finish(first.id, await runExpressionTool({ ...first, process: run }, { keep, javascript: fakeJavascript }));
      continue;
    }
    const result = tool(first);
    if (typeof result !== 'string') state.finish(first.id, { status: 'success', outputs: result });
    else state.finish(first.id, { status: result as JobStatus, outputs: {} });
  }
  if (!state.outcome) throw new Error(`the workflow is stuck after ${names.join(', ')}`);
  return { state, outcome: state.outcome, names };
}

/** An embedded ExpressionTool: inputs by name, one output `out` of any type. */
export const expressionTool = (
  inputs: readonly string[],
  expression: string,
): { readonly [field: string]: JsonValue } => ({
  class: 'ExpressionTool',
  requirements: { InlineJavascriptRequirement: {} },
  inputs: Object.fromEntries(inputs.map((id) => [id, 'Any?'])),
  outputs: { out: 'Any' },
  expression: `$({out: ${expression}})`,
});

/** An embedded CommandLineTool with inputs and one output `out` of any type. */
export const commandTool = (inputs: readonly string[], more = {}): { readonly [field: string]: JsonValue } => ({
  class: 'CommandLineTool',
  baseCommand: 'tool',
  inputs: Object.fromEntries(inputs.map((id) => [id, 'Any?'])),
  outputs: { out: 'Any?' },
  ...more,
});
