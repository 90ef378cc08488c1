import type { ClusterApi } from '../api/port.ts';
import { isHallmarkError, toMessage } from '../core/errors.ts';
import type { Uuid } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import type { Process } from '../cwl/model.ts';
import type { CwlObject } from '../cwl/values.ts';
import { type DiscoverOptions, discoverSecondaryFiles } from '../job/discover.ts';
import type { ExpressionEngine } from '../job/evaluate.ts';
import { type ExpressionStep, runExpressionTool } from '../job/expression-job.ts';
import { type FormatCheck, toProcessInputs } from '../job/inputs.ts';
import type { JobResult, StepJob } from '../job/model.ts';
import { refuseUnsupported } from '../job/requirements.ts';
import type { ToolStep } from '../job/tool-job.ts';
import { startWorkflow, type WorkflowState } from '../job/workflow-state.ts';
import type { LocalBlockStore } from '../keep/port.ts';
import { createRequestWaiter } from './await-request.ts';
import { storeDocumentFiles } from './document-files.ts';
import { runError } from './errors.ts';
import type { RunListener } from './events.ts';
import type { GitFacts, ImageServices } from './image/port.ts';
import { createImageResolver } from './image/resolve.ts';
import { createInputStore } from './inputs.ts';
import { createJobFiles } from './job-files.ts';
import { createRunRecord, finishRunRecord, type NewRun } from './run-record.ts';
import { createToolRunner } from './run-tool.ts';

export interface RunServices {
  readonly api: ClusterApi;
  readonly blocks: LocalBlockStore;
  readonly javascript: ExpressionEngine;
  /** Knows which file formats are kinds of which others. */
  readonly fitsFormat: FormatCheck;
  readonly emit: RunListener;
  readonly probe: DiscoverOptions['probe'];
  readonly gitFacts: (folder: string) => Promise<GitFacts | undefined>;
  readonly resolveDigest: ImageServices['resolveDigest'];
  readonly saveImage: ImageServices['saveImage'];
  readonly download?: (url: string) => Promise<string>;
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
}

export interface RunRequest {
  readonly process: Process;
  readonly name: string;
  readonly inputs: CwlObject;
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
  const { api, blocks, javascript, fitsFormat, emit } = services;
  const { process } = request;
  refuseUnsupported(process);
  const inputStore = createInputStore({ api, blocks, ...(services.download ? { download: services.download } : {}) });
  const requirements = { requirements: process.requirements, hints: process.hints };
  const given = toProcessInputs(process, request.inputs);
  const inputs = await inputStore.storeObject(
    await discoverSecondaryFiles(process, given, { javascript, requirements, probe: services.probe }),
  );
  const run = await createRunRecord(api, { ...request.record, name: request.name, storedInputs: inputs as JsonValue });
  const keep = createJobFiles(api, blocks);
  const waiter = createRequestWaiter(api);
  try {
    const images = createImageResolver({
      api,
      blocks,
      waiter,
      emit,
      inputs: inputStore,
      pull: options.pull,
      reuse: options.reuse,
      properties: { 'hm:run': run },
      resolveDigest: services.resolveDigest,
      saveImage: services.saveImage,
      ...(options.buildSecrets === undefined ? {} : { buildSecrets: options.buildSecrets }),
      gitFacts: services.gitFacts,
    });
    const tools = createToolRunner({
      ...options,
      api,
      blocks,
      keep,
      javascript,
      fitsFormat,
      images,
      waiter,
      emit,
      run,
      inputs: inputStore,
    });
    const state = startWorkflow(process, inputs, {
      javascript,
      keep,
      onError: options.onError,
      name: request.name,
      onScatter: (name, size) => emit({ type: 'scatter', name, size }),
      onSkip: (name) => emit({ type: 'step', name, status: 'skipped' }),
    });
    const runJob = async (job: StepJob): Promise<JobResult> => {
      const step = await storeDocumentFiles(job, inputStore);
      if (step.process.class === 'CommandLineTool') return tools.run(step as ToolStep, signal);
      const result = await runExpressionTool(step as ExpressionStep, { keep, javascript, fitsFormat });
      emit({ type: 'step', name: job.name, status: 'done' });
      return result;
    };
    const failures = await drive(state, tellingEnds(runJob, emit), { maxInFlight: options.maxInFlight, signal });
    const { status, outputs } = state.outcome ?? { status: 'permanentFail', outputs: {} };
    const ended = failures.length > 0 || status !== 'success' ? 'failure' : 'success';
    await finishRunRecord(api, run, ended, outputs as JsonValue);
    return { run, status: failures.length > 0 && status === 'success' ? 'permanentFail' : status, outputs, failures };
  } catch (error) {
    await finishRunRecord(api, run, 'failure');
    throw error;
  } finally {
    waiter.close();
  }
}

/** Tells that a job starts and that it failed, whatever made it fail; how it went well only the job knows. */
function tellingEnds(runJob: (job: StepJob) => Promise<JobResult>, emit: RunListener): typeof runJob {
  return async (job) => {
    emit({ type: 'step', name: job.name, status: 'started' });
    try {
      return await runJob(job);
    } catch (error) {
      emit({ type: 'step', name: job.name, status: 'failed', because: toMessage(error) });
      throw error;
    }
  };
}

/** Keeps `maxInFlight` jobs going until nothing runs and nothing can start; gives what failed. */
async function drive(
  state: WorkflowState,
  runJob: (job: StepJob) => Promise<JobResult>,
  { maxInFlight, signal }: { readonly maxInFlight: number; readonly signal: AbortSignal },
): Promise<unknown[]> {
  const failures: unknown[] = [];
  let inFlight = 0;
  let hasChanged = false;
  let wake: () => void = () => {};

  const start = async (job: StepJob): Promise<void> => {
    inFlight += 1;
    try {
      state.finish(job.id, await runJob(job));
    } catch (error) {
      failures.push(error);
      const temporary = isHallmarkError(error) && error.retryable;
      state.finish(job.id, { status: temporary ? 'temporaryFail' : 'permanentFail', outputs: {} });
    } finally {
      inFlight -= 1;
      hasChanged = true;
      wake();
    }
  };

  for (;;) {
    hasChanged = false;
    while (inFlight < maxInFlight && !signal.aborted) {
      const job = await state.next();
      if (!job) break;
      void start(job);
    }
    // A job that ended while `next` was under way may have made room for another.
    if (hasChanged) continue;
    if (inFlight === 0) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  if (signal.aborted && failures.length === 0)
    failures.push(runError('run/cancelled', 'the run was cancelled', { cause: signal.reason }));
  return [...failures, ...state.failures.map(({ error }) => error)];
}
