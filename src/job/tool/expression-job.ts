import { isJsonObject, type JsonValue } from '../../core/json.ts';
import type { ExpressionTool } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { buildCollection } from '../../keep/build-collection.ts';
import { jobError } from '../errors.ts';
import { bindExpressions } from '../evaluate.ts';
import { mapFileObjects, withNames, withoutPaths } from '../file-objects.ts';
import { checkFormats, toProcessInputs } from '../inputs/inputs.ts';
import { loadInput } from '../inputs/load.ts';
import { checkSecondaryFiles } from '../inputs/secondary-files.ts';
import type { JobResult, StepJob } from '../model.ts';
import { createLocator } from '../outputs/scope.ts';
import { withPaths } from '../staging/staging.ts';
import { outputProblem } from '../types.ts';
import { evaluateResources, toRuntime } from './resources.ts';
import type { ToolJobOptions } from './tool-job.ts';

export type ExpressionStep = StepJob & { readonly process: ExpressionTool };

/**
 * Runs an ExpressionTool, here and now (CWL v1.2, ExpressionTool). It has no files of its own: it may return those that it was
 * given, and literals.
 */
export async function runExpressionTool(
  step: ExpressionStep,
  options: Pick<ToolJobOptions, 'keep' | 'javascript' | 'fitsFormat'>,
): Promise<JobResult> {
  const { process: tool, requirements } = step;
  const { cwlVersion } = tool;
  const given = toProcessInputs(tool, step.inputs, step.name);
  const inputs: Record<string, CwlValue> = {};
  for (const input of tool.inputs) {
    const loaded = await loadInput(input, given[input.id] ?? null, { ...options, requirements, cwlVersion });
    inputs[input.id] = mapFileObjects(loaded, (object) => withPaths(object, nominalPaths.keep));
  }
  const where = { ...tool.position, step: step.name };
  const early = bindExpressions({ ...options, requirements, inputs, runtime: nominalPaths, cwlVersion, where });
  await checkSecondaryFiles(tool, inputs, early);
  await checkFormats(tool, inputs, early, options.fitsFormat);
  const runtime = toRuntime(nominalPaths, await evaluateResources(requirements, early, cwlVersion));
  const expressions = bindExpressions({ ...options, requirements, inputs, runtime, cwlVersion, where });
  const value = await expressions.evaluate(tool.expression, 'expression');
  return { status: 'success', outputs: toOutputs(step, value, inputs) };
}

/** Expressions may look at paths, though nothing lies there while they run. */
const nominalPaths = { outdir: '/var/spool/cwl', tmpdir: '/tmp', keep: '/keep' };

function toOutputs(step: ExpressionStep, value: JsonValue, inputs: CwlObject): CwlObject {
  if (!isJsonObject(value)) {
    throw badResult(step, `expected an object with the outputs, got ${JSON.stringify(value)?.slice(0, 80)}`);
  }
  const locate = createLocator(buildCollection([]), { inputs, paths: nominalPaths });
  const outputs: Record<string, CwlValue> = {};
  for (const { id, type } of step.process.outputs) {
    const output = (value[id] ?? null) as CwlValue;
    const problem = outputProblem(type, output, id);
    if (problem !== undefined) throw badResult(step, problem);
    outputs[id] = withNames(withoutPaths(mapFileObjects(output, locate)));
  }
  return outputs;
}

const badResult = (step: ExpressionStep, problem: string) =>
  jobError('job/bad-output', problem, {
    hint: 'correct what the expression returns, or the types of the outputs',
    where: { ...step.process.position, step: step.name },
  });
