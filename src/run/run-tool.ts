import type { ClusterApi } from '../api/port.ts';
import { type Container, type ContainerRequest, hostImage } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import type { Requirement } from '../cwl/model.ts';
import type { ExpressionEngine } from '../job/evaluate.ts';
import type { JobFiles } from '../job/files.ts';
import type { FormatCheck } from '../job/inputs.ts';
import type { JobResult, PreparedJob } from '../job/model.ts';
import { toOutputObject, toStatus } from '../job/output-object.ts';
import { containerPaths, hostPaths } from '../job/paths.ts';
import { findRequirement } from '../job/requirements.ts';
import { type ToolStep, toToolJob } from '../job/tool-job.ts';
import type { BlockStore } from '../keep/port.ts';
import { toContainerRequest } from '../request/container-request.ts';
import { awaitOrCancel, type RequestWaiter } from './await-request.ts';
import { ensureCollection } from './collections.ts';
import { runError } from './errors.ts';
import type { RunListener } from './events.ts';
import { hintOf, reasonOf, splitDetail } from './image/failure.ts';
import type { ImageResolver, ResolvedImage } from './image/port.ts';
import { imageBuildClass } from './image/requirement.ts';
import type { InputStore } from './inputs.ts';
import { lastLines } from './log-tail.ts';

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

const stderrLines = 20;

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
    const request = await submit(prepared, image);
    const reused = request.state === 'Final';
    const finished = reused
      ? request
      : await awaitOrCancel(options, { uuid: request.uuid, what: `step ${step.name}` }, signal);
    const container = finished.container_uuid ? await api.get('containers', finished.container_uuid) : undefined;
    const result = await collect(step, prepared, finished, container);
    emit({
      type: 'step',
      name: step.name,
      status: reused ? 'reused' : 'done',
      request: request.uuid,
      ...(container ? { container: container.uuid } : {}),
    });
    return result;
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

  async function submit({ job }: PreparedJob, image: ResolvedImage | undefined): Promise<ContainerRequest> {
    const attributes = toContainerRequest(job, image ? image.portableDataHash : hostImage, { reuse: options.reuse });
    const request = await api.create('container_requests', {
      ...attributes,
      properties: { ...attributes.properties, 'hm:run': options.run, 'hm:step': job.name },
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
      throw await toFailure(step, request, container);
    }
    if (toStatus(step.process, container.exit_code) !== 'success') throw await toFailure(step, request, container);
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

  /** Everything a person needs: the step, the exact command, the exit code, the end of its stderr, where the whole log is. */
  async function toFailure(
    step: ToolStep,
    request: ContainerRequest,
    container: Container | undefined,
  ): Promise<Error> {
    const reason = reasonOf(request, container);
    const tail = container?.log ? await lastLines(options, container.log, 'stderr.txt', stderrLines) : [];
    const { detail } = splitDetail(container);
    const hint = hintOf(container);
    const lines = [
      `step ${step.name} failed: ${reason}`,
      `  command: ${request.command.map(quote).join(' ')}`,
      ...(tail.length > 0 ? ['  last lines of its stderr:', ...tail.map((line) => `  | ${line}`)] : []),
      ...detail.map((line) => `  detail: ${line}`),
      `  whole log: cwl-runner logs ${request.uuid}`,
    ];
    return runError('run/step-failed', lines.join('\n'), {
      where: { step: step.name, ...(container ? { container: container.uuid } : {}) },
      retryable: container?.exit_code != null && toStatus(step.process, container.exit_code) === 'temporaryFail',
      ...(hint !== undefined && { hint }),
    });
  }

  return { run };
}

/** As a shell would need it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
