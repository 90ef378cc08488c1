import type { ClusterApi } from '../../api/port.ts';
import { builtinImage, type ContainerRequest } from '../../api/records.ts';
import type { ReusePreview } from '../../api/reuse.ts';
import { isHallmarkError, toMessage, whereOf } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Process } from '../../cwl/model.ts';
import type { JobResult, StepJob } from '../../job/model.ts';
import { findRequirement, refuseUnsupported } from '../../job/requirements.ts';
import { startWorkflow } from '../../job/workflow/state.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import { createRequestWaiter } from '../await-request.ts';
import type { Downloads } from '../downloads/port.ts';
import type { RunEvent } from '../events.ts';
import { explainDifference } from '../explain.ts';
import { imageBuildClass, nameOfBuild, toImageSource, toSourceKey } from '../image/requirement.ts';
import { createImageResolver } from '../image/resolve.ts';
import { createInputStore } from '../inputs.ts';
import { createJobFiles } from '../job-files.ts';
import { type RunInputs, storeRunInputs } from '../run-inputs.ts';
import { runJob } from '../run-job.ts';
import type { RunOptions, RunServices } from '../run-process.ts';
import type { ToolServices } from '../run-tool.ts';
import { createDryCluster, WouldStoreImage, WouldSubmit } from './dry-cluster.ts';
import { type AskRegistry, createImagePlans, type ImagePlans } from './images.ts';
import type { Plan, StepPlan } from './model.ts';
import { outlineSteps } from './outline.ts';

export interface PlanServices
  extends Pick<RunServices, 'javascript' | 'fitsFormat' | 'probe' | 'git' | 'resolveDigest' | 'checkReach' | 'emit'> {
  readonly api: ClusterApi & ReusePreview;
  /** Stores nothing (`createScratchBlockStore`). */
  readonly blocks: LocalBlockStore;
  readonly askRegistry: AskRegistry;
  /** Over the same blocks: what is downloaded is hashed. */
  readonly downloads?: Downloads;
}

export interface PlanRequest extends RunInputs {
  readonly process: Process;
  readonly name: string;
}

/**
 * Goes through a run without changing anything: the same stages with the same requests, but what no earlier container has done
 * ends there. Host files are hashed, not stored; images are looked up; registries are asked for sizes only.
 */
export async function planProcess(request: PlanRequest, services: PlanServices, options: RunOptions): Promise<Plan> {
  const { process } = request;
  refuseUnsupported(process);
  const { javascript, blocks, downloads } = services;
  const api = createDryCluster(services.api);
  const images = createImagePlans(services.askRegistry);
  const steps: StepPlan[] = [];
  const emit = (event: RunEvent) => {
    images.onEvent(event);
    if (event.type === 'warning') services.emit(event);
    if (event.type !== 'step' || event.status !== 'reused') return;
    const container = event.container === undefined ? {} : { container: event.container };
    steps.push({ step: event.name, action: 'reuse', because: 'an equal earlier container has done it', ...container });
  };
  const inputStore = createInputStore({ api, blocks, ...(downloads && { downloads }) });
  const inputs = await storeRunInputs(process, request, { ...services, store: inputStore });
  const keep = createJobFiles(api, blocks);
  const tools = toToolServices(services, options, { api, emit, inputStore, keep });
  const state = startWorkflow(process, inputs, { javascript, keep, onError: 'continue', name: request.name });
  const { signal } = new AbortController();
  const planJob = async (job: StepJob): Promise<JobResult> => {
    try {
      const result = await runJob(job, tools, signal);
      if (job.process.class === 'ExpressionTool')
        steps.push({ step: job.name, action: 'evaluate', because: 'an expression' });
      return result;
    } catch (error) {
      steps.push(await explain(job, error, { api, images, options }));
      return { status: 'permanentFail', outputs: {} };
    }
  };
  for (let job = await state.next(); job; job = await state.next()) state.finish(job.id, await planJob(job));
  for (const { name, error } of state.failures) {
    if (name === '') throw error;
    steps.push(failed(name, error));
  }
  return { images: images.plans(), steps: outlineSteps(process, steps) };
}

interface Parts {
  readonly api: ClusterApi;
  readonly emit: (event: RunEvent) => void;
  readonly inputStore: ReturnType<typeof createInputStore>;
  readonly keep: ReturnType<typeof createJobFiles>;
}

/** The stages of a run over the dry cluster. */
function toToolServices(
  { blocks, javascript, fitsFormat, git, resolveDigest, checkReach, downloads }: PlanServices,
  options: RunOptions,
  { api, emit, inputStore, keep }: Parts,
): ToolServices {
  const waiter = createRequestWaiter(api);
  const images = createImageResolver({
    ...{ api, blocks, waiter, emit, git, resolveDigest, checkReach },
    inputs: inputStore,
    pull: options.pull,
    reuse: options.reuse,
    properties: {},
    gitFacts: async () => undefined,
    ...(downloads && { downloads }),
    saveImage: async (_image, { collection }) => {
      throw new WouldStoreImage(collection);
    },
  });
  const run = 'xplan-xvhdp-run000000000000' as Uuid;
  return {
    ...options,
    ...{ api, blocks, keep, javascript, fitsFormat, images, waiter, emit, run },
    inputs: inputStore,
  };
}

function failed(step: string, error: unknown): StepPlan {
  const [because = ''] = toMessage(error).split('\n');
  const where = whereOf(error);
  const hint = isHallmarkError(error) ? error.hint : undefined;
  return {
    step,
    action: 'fail',
    because,
    ...(where.file !== undefined && { where }),
    ...(hint !== undefined && { hint }),
  };
}

interface Explaining {
  readonly api: ClusterApi;
  readonly images: ImagePlans;
  readonly options: RunOptions;
}

async function explain(job: StepJob, error: unknown, { api, images, options }: Explaining): Promise<StepPlan> {
  const step = job.name;
  if (error instanceof WouldStoreImage) {
    images.addStored(error.message);
    return { step, action: 'run', because: 'its image has to be stored first' };
  }
  if (!(error instanceof WouldSubmit)) return failed(step, error);
  const { attributes, container } = error;
  if (attributes.container_image === builtinImage) {
    await images.addRequest(attributes);
    if (attributes.command?.[1] === 'pull') addBlockedBuild(job, images);
    return { step, action: 'run', because: 'its image has to be made first' };
  }
  if (container) return { step, action: 'wait', because: 'an equal container is under way', container };
  return { step, action: 'run', because: options.reuse ? await reasonToRun(api, attributes) : 'reuse is disabled' };
}

/** A pull that a build needs stops before the build is told of. */
function addBlockedBuild(job: StepJob, images: ImagePlans): void {
  const docker = findRequirement(job.requirements, 'DockerRequirement');
  const source = toImageSource(docker, findRequirement(job.requirements, imageBuildClass));
  if (source?.kind !== 'build') return;
  images.addBlockedBuild(toSourceKey(source), nameOfBuild(source.instructions));
}

/** What differs from the last request of this name. */
async function reasonToRun(api: ClusterApi, attributes: Partial<ContainerRequest>): Promise<string> {
  if (attributes.use_existing === false) return 'the document asks not to reuse it';
  const page = await api.list('container_requests', {
    filters: [
      ['name', '=', attributes.name],
      ['state', '=', 'Final'],
    ],
    order: ['created_at desc'],
    limit: 1,
    count: 'none',
  });
  const [before] = page.items;
  if (!before) return 'it has not run before';
  const difference = await explainDifference(api, before, attributes as ContainerRequest);
  return difference ?? 'its earlier result failed or is gone';
}
