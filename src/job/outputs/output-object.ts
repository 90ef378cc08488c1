import type { CommandLineTool } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { formatKeepLocation } from '../../keep/location.ts';
import { jobError, withPlace } from '../errors.ts';
import { bindExpressions, type ExpressionEngine } from '../evaluate.ts';
import { withoutPaths } from '../file-objects.ts';
import type { JobFiles } from '../files.ts';
import type { FinishedJob, JobResult, JobStatus, Requirements, ToolJob } from '../model.ts';
import { outputProblem } from '../types.ts';
import { collectOutput } from './collect.ts';
import { readOutputJson } from './cwl-output-json.ts';
import { createLocator, type OutputScope } from './scope.ts';

export interface OutputOptions {
  readonly keep: JobFiles;
  readonly javascript: ExpressionEngine;
  /** As given to `toToolJob`. */
  readonly requirements: Requirements;
}

/**
 * The output object of a finished tool (CWL v1.2, section 4.3): `cwl.output.json` when it wrote one, else what the bindings
 * collect from the output directory. Files have `keep:` locations and sizes. Outputs of a failed tool are not collected.
 */
export async function toOutputObject(
  tool: CommandLineTool,
  job: ToolJob,
  finished: FinishedJob,
  options: OutputOptions,
): Promise<JobResult> {
  const status = toStatus(tool, finished.exitCode);
  if (status !== 'success') return { status, outputs: {} };
  const collection = finished.output;
  const where = { ...tool.position, step: job.name };
  const expressions = bindExpressions({
    javascript: options.javascript,
    requirements: options.requirements,
    inputs: job.inputs,
    runtime: { ...job.runtime, exitCode: finished.exitCode },
    cwlVersion: tool.cwlVersion,
    where,
  });
  const scope: OutputScope = {
    collection,
    expressions,
    requirements: options.requirements,
    cwlVersion: tool.cwlVersion,
    keep: options.keep,
    paths: job.paths,
    locate: createLocator(collection, job, finished.hostDirectory),
  };
  const declared =
    (await readOutputJson(scope).catch((error: unknown) => Promise.reject(withPlace(error, where)))) ??
    (await collectOutputs(tool, scope, job.name));
  checkOutputs(tool, declared, job.name);
  const replaced = [...job.inplace].map(
    ([location, path]) => [location, formatKeepLocation(collection.portableDataHash, path)] as const,
  );
  return { status, outputs: withoutPaths(declared), ...(replaced.length > 0 && { replaced: new Map(replaced) }) };
}

/** CWL v1.2, CommandLineTool: successCodes, temporaryFailCodes, permanentFailCodes, in this order; else 0 is success. */
export function toStatus(
  tool: Pick<CommandLineTool, 'successCodes' | 'temporaryFailCodes' | 'permanentFailCodes'>,
  exitCode: number,
): JobStatus {
  if (tool.successCodes.includes(exitCode)) return 'success';
  if (tool.temporaryFailCodes.includes(exitCode)) return 'temporaryFail';
  if (tool.permanentFailCodes.includes(exitCode)) return 'permanentFail';
  return exitCode === 0 ? 'success' : 'permanentFail';
}

async function collectOutputs(tool: CommandLineTool, scope: OutputScope, step: string): Promise<CwlObject> {
  const outputs: Record<string, CwlValue> = {};
  for (const output of tool.outputs) {
    try {
      outputs[output.id] = await collectOutput(output, output.id, scope);
    } catch (error) {
      throw withPlace(error, { ...output.position, step });
    }
  }
  return outputs;
}

function checkOutputs(tool: CommandLineTool, outputs: CwlObject, step: string): void {
  for (const { id, type, position } of tool.outputs) {
    const problem = outputProblem(type, outputs[id] ?? null, id);
    if (problem === undefined) continue;
    throw jobError('job/bad-output', problem, {
      hint: 'compare the type with what the tool wrote and what glob and outputEval make of it',
      where: { ...position, step },
    });
  }
}
