import type { ExpressionEngine } from '../job/evaluate.ts';
import { type ExpressionStep, runExpressionTool } from '../job/expression-job.ts';
import type { JobFiles } from '../job/files.ts';
import type { FormatCheck } from '../job/inputs.ts';
import type { JobResult, StepJob } from '../job/model.ts';
import type { ToolStep } from '../job/tool-job.ts';
import { storeDocumentFiles } from './document-files.ts';
import type { RunListener } from './events.ts';
import type { InputStore } from './inputs.ts';
import type { ToolRunner } from './run-tool.ts';

export interface JobServices {
  readonly tools: ToolRunner;
  readonly inputs: InputStore;
  readonly keep: JobFiles;
  readonly javascript: ExpressionEngine;
  readonly fitsFormat: FormatCheck;
  readonly emit: RunListener;
}

/** Runs one job to its end: a tool on the cluster, an expression here. */
export async function runJob(job: StepJob, services: JobServices, signal: AbortSignal): Promise<JobResult> {
  const { tools, inputs, keep, javascript, fitsFormat, emit } = services;
  const step = await storeDocumentFiles(job, inputs);
  if (step.process.class === 'CommandLineTool') return tools.run(step as ToolStep, signal);
  const result = await runExpressionTool(step as ExpressionStep, { keep, javascript, fitsFormat });
  emit({ type: 'step', name: job.name, status: 'done' });
  return result;
}
