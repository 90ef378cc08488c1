import type { Requirement } from '../cwl/model.ts';
import { withPlace } from '../job/errors.ts';
import type { ExpressionEngine } from '../job/evaluate.ts';
import type { JobFiles } from '../job/files.ts';
import type { FormatCheck } from '../job/inputs/inputs.ts';
import type { JobResult, PreparedJob, ToolJob } from '../job/model.ts';
import { toOutputObject, toStatus } from '../job/outputs/output-object.ts';
import { containerPaths, hostPaths } from '../job/paths.ts';
import { findRequirement } from '../job/requirements.ts';
import { type ToolStep, toToolJob } from '../job/tool/tool-job.ts';
import type { BlockStore } from '../keep/port.ts';
import { type Attempt, type AttemptServices, attempt, attemptAgain } from './attempt.ts';
import { ensureCollection } from './collections.ts';
import type { ImageResolver, ResolvedImage } from './image/port.ts';
import { imageBuildClass } from './image/requirement.ts';
import type { InputStore } from './inputs.ts';
import { withMoreMemory } from './out-of-memory.ts';
import { toStepFailure } from './step-failure.ts';

export interface ToolServices extends AttemptServices {
  readonly blocks: BlockStore;
  readonly keep: JobFiles;
  readonly inputs: InputStore;
  readonly javascript: ExpressionEngine;
  readonly fitsFormat: FormatCheck;
  readonly images: ImageResolver;
  /** False: every tool runs on the host, as cwltool's --no-container. */
  readonly containers: boolean;
  /** Image for tools that name none. */
  readonly defaultContainer?: string;
}

/** Runs one CommandLineTool to its end. Fails with `run/step-failed`, which says why, unless the tool's own codes allow it. */
export async function runTool(step: ToolStep, services: ToolServices, signal: AbortSignal): Promise<JobResult> {
  const image = await resolveImage(step, services, signal);
  const job = await prepareJob(step, image, services);
  const first = await attempt({ job, image }, services, signal);
  const larger = hasFailed(step, first) ? await withMoreMemory(job, first.container, services) : undefined;
  const last = larger ? await attemptAgain({ job: larger, image }, first, services, signal) : first;
  const result = await collect(step, job, last, services);
  services.emit({
    type: 'step',
    name: step.name,
    status: last.reused ? 'reused' : 'done',
    request: last.request.uuid,
    ...(last.container && { container: last.container.uuid }),
  });
  return result;
}

/** The image that the tool asks for, else the default container; undefined: it runs on the host. */
async function resolveImage(
  step: ToolStep,
  { containers, images, defaultContainer }: ToolServices,
  signal: AbortSignal,
): Promise<ResolvedImage | undefined> {
  if (!containers) return undefined;
  const docker = findRequirement(step.requirements, 'DockerRequirement');
  const build = findRequirement(step.requirements, imageBuildClass);
  const image = await images.resolve(docker, build, signal).catch((error: unknown) => {
    throw withPlace(error, { ...(build ?? docker ?? step.process).position, step: step.name });
  });
  if (image || defaultContainer === undefined) return image;
  const fallback: Requirement = {
    class: 'DockerRequirement',
    fields: { dockerPull: defaultContainer },
    position: step.process.position,
  };
  return images.resolve(fallback, undefined, signal);
}

/** The job with all that it mounts in Keep. */
async function prepareJob(step: ToolStep, image: ResolvedImage | undefined, services: ToolServices): Promise<ToolJob> {
  const inputs = await services.inputs.storeObject(step.inputs);
  const { keep, javascript, fitsFormat } = services;
  const inContainer = image !== undefined;
  const paths = inContainer ? containerPaths : hostPaths;
  const prepared = await toToolJob({ ...step, inputs }, { keep, javascript, fitsFormat, paths, inContainer });
  await savePrepared(prepared, services);
  return prepared.job;
}

async function savePrepared(prepared: PreparedJob, { api, blocks }: ToolServices): Promise<void> {
  await Promise.all(prepared.blocks.map(({ data }) => blocks.write(data)));
  const properties = { type: 'intermediate' };
  await Promise.all(prepared.collections.map((collection) => ensureCollection(api, collection, { properties })));
}

/** The tool's own verdict is that the work cannot be done; not so where the infrastructure failed. */
const hasFailed = ({ process }: ToolStep, { container }: Attempt): boolean =>
  container?.state === 'Complete' && toStatus(process, container.exit_code ?? 0) === 'permanentFail';

async function collect(step: ToolStep, job: ToolJob, attempt: Attempt, services: ToolServices): Promise<JobResult> {
  const { container } = attempt;
  if (container?.state !== 'Complete' || container.exit_code === null || container.output === null) {
    throw await toStepFailure(step, attempt, services);
  }
  const { exit_code: exitCode, runtime_status } = container;
  if (toStatus(step.process, exitCode) !== 'success') throw await toStepFailure(step, attempt, services);
  const { keep, javascript } = services;
  const output = await keep.openCollection(container.output);
  const { hostDirectory } = runtime_status;
  const finished = { exitCode, output, ...(hostDirectory !== undefined && { hostDirectory }) };
  return toOutputObject(step.process, job, finished, { keep, javascript, requirements: step.requirements });
}
