import type { ClusterApi } from '../api/port.ts';
import { type Container, type ContainerRequest, hostImage } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { Requirement } from '../cwl/model.ts';
import type { ExpressionEngine } from '../job/evaluate.ts';
import type { JobFiles } from '../job/files.ts';
import type { FormatCheck } from '../job/inputs.ts';
import type { JobResult, PreparedJob, ToolJob } from '../job/model.ts';
import { toOutputObject, toStatus } from '../job/output-object.ts';
import { containerPaths, hostPaths } from '../job/paths.ts';
import { findRequirement } from '../job/requirements.ts';
import { type ToolStep, toToolJob } from '../job/tool-job.ts';
import type { BlockStore } from '../keep/port.ts';
import { toContainerRequest } from '../request/container-request.ts';
import { awaitOrCancel, type RequestWaiter } from './await-request.ts';
import { ensureCollection } from './collections.ts';
import type { RunListener } from './events.ts';
import type { ImageResolver, ResolvedImage } from './image/port.ts';
import { imageBuildClass } from './image/requirement.ts';
import type { InputStore } from './inputs.ts';
import { withMoreMemory } from './out-of-memory.ts';
import { toStepFailure } from './step-failure.ts';

export interface ToolRunner {
  /** Runs one CommandLineTool to its end. Fails with `run/step-failed`, which says why, unless the tool's own codes allow it. */
  run(step: ToolStep, signal: AbortSignal): Promise<JobResult>;
}

export interface ToolRunnerOptions {
  readonly api: ClusterApi;
  readonly blocks: BlockStore;
  readonly keep: JobFiles;
  readonly inputs: InputStore;
  readonly javascript: ExpressionEngine;
  readonly fitsFormat: FormatCheck;
  readonly images: ImageResolver;
  readonly waiter: RequestWaiter;
  readonly emit: RunListener;
  /** Uuid of the run, put on every request. */
  readonly run: Uuid;
  readonly reuse: boolean;
  /** False: every tool runs on the host, as cwltool's --no-container. */
  readonly containers: boolean;
  /** Image for tools that name none. */
  readonly defaultContainer?: string;
  /** Variables of the caller that tools on the host get. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
}

/** One request of a step, and what came of it. */
interface Attempt {
  readonly request: ContainerRequest;
  readonly container: Container | undefined;
  readonly reused: boolean;
}

export function createToolRunner(options: ToolRunnerOptions): ToolRunner {
  const { api, emit } = options;

  async function run(step: ToolStep, signal: AbortSignal): Promise<JobResult> {
    const image = await resolveImage(step, signal);
    const inputs = await options.inputs.storeObject(step.inputs);
    const prepared = await toToolJob(
      { ...step, inputs },
      {
        keep: options.keep,
        javascript: options.javascript,
        fitsFormat: options.fitsFormat,
        paths: image ? containerPaths : hostPaths,
        inContainer: image !== undefined,
      },
    );
    await savePrepared(prepared);
    const first = await attempt(prepared.job, image, signal);
    const larger = hasFailed(step, first) ? await withMoreMemory(prepared.job, first.container, options) : undefined;
    const { request, container, reused } = larger ? await retry(larger, image, first, signal) : first;
    const result = await collect(step, prepared, request, container);
    emit({
      type: 'step',
      name: step.name,
      status: reused ? 'reused' : 'done',
      request: request.uuid,
      ...(container ? { container: container.uuid } : {}),
    });
    return result;
  }

  async function attempt(
    job: ToolJob,
    image: ResolvedImage | undefined,
    signal: AbortSignal,
    properties: JsonObject = {},
  ): Promise<Attempt> {
    const submitted = await submit(job, image, properties);
    const reused = submitted.state === 'Final';
    const request = reused
      ? submitted
      : await awaitOrCancel(options, { uuid: submitted.uuid, what: `step ${job.name}` }, signal);
    const container = request.container_uuid ? await api.get('containers', request.container_uuid) : undefined;
    return { request, container, reused };
  }

  /** Each of the two requests names the other; the first by the property that arvados-cwl-runner gives it. */
  async function retry(
    job: ToolJob,
    image: ResolvedImage | undefined,
    { request: { uuid, properties } }: Attempt,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const again = await attempt(job, image, signal, { 'hm:retryOf': uuid });
    const resubmitted = { 'arv:failed_container_resubmitted': again.request.uuid };
    await api.update('container_requests', uuid, { properties: { ...properties, ...resubmitted } });
    return again;
  }

  async function resolveImage(step: ToolStep, signal: AbortSignal): Promise<ResolvedImage | undefined> {
    if (!options.containers) return undefined;
    const docker = findRequirement(step.requirements, 'DockerRequirement');
    const build = findRequirement(step.requirements, imageBuildClass);
    const image = await options.images.resolve(docker, build, signal);
    if (image || options.defaultContainer === undefined) return image;
    const fallback: Requirement = {
      class: 'DockerRequirement',
      fields: { dockerPull: options.defaultContainer },
      position: step.process.position,
    };
    return options.images.resolve(fallback, undefined, signal);
  }

  async function savePrepared({ collections, blocks }: PreparedJob): Promise<void> {
    await Promise.all(blocks.map(({ data }) => options.blocks.write(data)));
    await Promise.all(
      collections.map((collection) => ensureCollection(api, collection, { properties: { type: 'intermediate' } })),
    );
  }

  async function submit(
    job: ToolJob,
    image: ResolvedImage | undefined,
    properties: JsonObject,
  ): Promise<ContainerRequest> {
    const attributes = toContainerRequest(job, image ? image.portableDataHash : hostImage, { reuse: options.reuse });
    const request = await api.create('container_requests', {
      ...attributes,
      properties: { ...attributes.properties, ...properties, 'hm:run': options.run, 'hm:step': job.name },
      ...(image ? {} : { environment: { ...options.hostEnvironment, ...attributes.environment } }),
    });
    emit({ type: 'step', name: job.name, status: 'submitted', request: request.uuid });
    return request;
  }

  async function collect(
    step: ToolStep,
    { job }: PreparedJob,
    request: ContainerRequest,
    container: Container | undefined,
  ): Promise<JobResult> {
    if (container?.state !== 'Complete' || container.exit_code === null || container.output === null) {
      throw await toStepFailure(step, { request, container }, options);
    }
    if (toStatus(step.process, container.exit_code) !== 'success')
      throw await toStepFailure(step, { request, container }, options);
    const { manifestText: outputManifest } = await options.keep.openCollection(container.output);
    const { hostDirectory } = container.runtime_status;
    return toOutputObject(
      step.process,
      job,
      { exitCode: container.exit_code, outputManifest, ...(hostDirectory !== undefined && { hostDirectory }) },
      {
        keep: options.keep,
        javascript: options.javascript,
        requirements: step.requirements,
      },
    );
  }

  return { run };
}

/** The tool's own verdict is that the work cannot be done; not so where the infrastructure failed. */
const hasFailed = ({ process }: ToolStep, { container }: Attempt): boolean =>
  container?.state === 'Complete' && toStatus(process, container.exit_code ?? 0) === 'permanentFail';
