import type { JobResult, StepJob } from '../job/model.ts';
import { type ExpressionStep, runExpressionTool } from '../job/tool/expression-job.ts';
import type { ToolStep } from '../job/tool/tool-job.ts';
import { storeDocumentFiles } from './document-files.ts';
import { runTool, type ToolServices } from './run-tool.ts';

/** Runs one job to its end: a tool on the cluster, an expression here. Fails as `runTool` does, and with the codes of `job/`. */
export async function runJob(job: StepJob, services: ToolServices, signal: AbortSignal): Promise<JobResult> {
  const step = await storeDocumentFiles(job, services.inputs);
  if (step.process.class === 'CommandLineTool') return runTool(step as ToolStep, services, signal);
  const result = await runExpressionTool(step as ExpressionStep, services);
  services.emit({ type: 'step', name: job.name, status: 'done' });
  return result;
}
