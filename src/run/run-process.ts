import type { ClusterApi } from '../api/port.ts';
import type { Uuid } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import type { Process } from '../cwl/model.ts';
import type { CwlObject } from '../cwl/values.ts';
import type { ExpressionEngine } from '../job/evaluate.ts';
import type { DiscoverOptions } from '../job/inputs/discover.ts';
import type { FormatCheck } from '../job/inputs/inputs.ts';
import type { JobResult } from '../job/model.ts';
import { refuseUnsupported } from '../job/requirements.ts';
import { startWorkflow } from '../job/workflow/state.ts';
import type { LocalBlockStore } from '../keep/port.ts';
import type { RequestOptions } from '../request/contribution.ts';
import { createRequestWaiter } from './await-request.ts';
import type { Downloads } from './downloads/port.ts';
import { drive, type RunJob, tellingEnds } from './drive.ts';
import type { RunListener } from './events.ts';
import type { ImageServices } from './image/port.ts';
import { createImageResolver } from './image/resolve.ts';
import { createInputStore } from './inputs.ts';
import { createJobFiles } from './job-files.ts';
import { type RunInputs, storeRunInputs } from './run-inputs.ts';
import { runJob } from './run-job.ts';
import { createRunRecord, finishRunRecord, type NewRun } from './run-record.ts';
import type { ToolServices } from './run-tool.ts';

export interface RunServices {
  readonly api: ClusterApi;
  readonly blocks: LocalBlockStore;
  readonly javascript: ExpressionEngine;
  /** Knows which file formats are kinds of which others. */
  readonly fitsFormat: FormatCheck;
  readonly emit: RunListener;
  readonly probe: DiscoverOptions['probe'];
  readonly gitFacts: ImageServices['gitFacts'];
  readonly git: ImageServices['git'];
  readonly resolveDigest: ImageServices['resolveDigest'];
  readonly saveImage: ImageServices['saveImage'];
  readonly checkReach: ImageServices['checkReach'];
  readonly downloads?: Downloads;
}

export interface RunOptions {
  readonly onError: 'stop' | 'continue';
  readonly reuse: boolean;
  readonly pull: ImageServices['pull'];
  readonly containers: boolean;
  readonly defaultContainer?: string;
  readonly hostEnvironment: Readonly<Record<string, string>>;
  /** By id, for `RUN --mount=type=secret`. A build gets those that its Dockerfile names. */
  readonly buildSecrets?: ReadonlyMap<string, string>;
  /** Jobs in preparation, queued or running at once: bounds memory, not the work of the cluster. */
  readonly maxInFlight: number;
  /** What the caller asks of every request of a step. */
  readonly requests?: Omit<RequestOptions, 'reuse'>;
}

export interface RunRequest extends RunInputs {
  readonly process: Process;
  readonly name: string;
  readonly record: Omit<NewRun, 'storedInputs' | 'name'>;
}

export interface RunResult {
  readonly run: Uuid;
  readonly status: JobResult['status'];
  /** With `keep:` locations. */
  readonly outputs: CwlObject;
  /** What failed, in order; the first is the cause. */
  readonly failures: readonly unknown[];
}

/** Runs one process to its end: the whole loop from state to image, request, cluster and outputs. */
export async function runProcess(
  request: RunRequest,
  services: RunServices,
  options: RunOptions,
  signal: AbortSignal,
): Promise<RunResult> {
  const { api, blocks, javascript, emit, downloads } = services;
  const { process, name } = request;
  refuseUnsupported(process);
  const store = createInputStore({ api, blocks, signal, ...(downloads && { downloads }) });
  const inputs = await storeRunInputs(process, request, { ...services, store });
  const run = await createRunRecord(api, { ...request.record, name, storedInputs: inputs as JsonValue });
  const keep = createJobFiles(api, blocks);
  const waiter = createRequestWaiter(api);
  try {
    const tools = toToolServices(services, options, { inputs: store, keep, waiter, run });
    const state = startWorkflow(process, inputs, {
      javascript,
      keep,
      onError: options.onError,
      name,
      onScatter: (scattered, size) => emit({ type: 'scatter', name: scattered, size }),
      onSkip: (step) => emit({ type: 'step', name: step, status: 'skipped' }),
    });
    const start: RunJob = (job) => runJob(job, tools, signal);
    const failures = await drive(state, tellingEnds(start, emit), { maxInFlight: options.maxInFlight, signal });
    const { status, outputs } = state.outcome ?? { status: 'permanentFail', outputs: {} };
    const ended = failures.length > 0 || status !== 'success' ? 'failure' : 'success';
    await finishRunRecord(api, run, ended, outputs as JsonValue);
    return { run, status: failures.length > 0 && status === 'success' ? 'permanentFail' : status, outputs, failures };
  } catch (error) {
    // The first error counts: what also keeps the record from being written would only hide it.
    await finishRunRecord(api, run, 'failure').catch(() => {});
    throw error;
  } finally {
    waiter.close();
  }
}

type Made = Pick<ToolServices, 'inputs' | 'keep' | 'waiter' | 'run'>;

function toToolServices(services: RunServices, options: RunOptions, made: Made): ToolServices {
  const { api, blocks, javascript, fitsFormat, emit, gitFacts, git, resolveDigest, saveImage, checkReach } = services;
  const { downloads } = services;
  const images = createImageResolver({
    ...{ api, blocks, emit, gitFacts, git, resolveDigest, saveImage, checkReach },
    waiter: made.waiter,
    inputs: made.inputs,
    pull: options.pull,
    reuse: options.reuse,
    properties: { 'hm:run': made.run },
    ...(downloads && { downloads }),
    ...(options.buildSecrets && { buildSecrets: options.buildSecrets }),
  });
  return { ...options, ...made, api, blocks, javascript, fitsFormat, images, emit };
}
