import type { ClusterApi } from '../api/port.ts';
import { type ContainerRequest, hostImage } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { ToolJob } from '../job/model.ts';
import { toContainerRequest } from '../request/container-request.ts';
import type { RequestOptions } from '../request/contribution.ts';
import { type AwaitedRequest, awaitOrCancel, type RequestWaiter } from './await-request.ts';
import { type EndedContainer, readEnded } from './ended-container.ts';
import type { RunListener } from './events.ts';
import type { ResolvedImage } from './image/port.ts';

export interface AttemptServices {
  readonly api: ClusterApi;
  readonly waiter: RequestWaiter;
  readonly emit: RunListener;
  /** Uuid of the run, put on every request. */
  readonly run: Uuid;
  /** False: the result of an earlier equal request is not taken. */
  readonly reuse: boolean;
  /** Variables of the caller that tools on the host get. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
  /** What the caller asks of every request of a step. */
  readonly requests?: Omit<RequestOptions, 'reuse'>;
}

/** A job and the image that it runs in; undefined: on the host. */
export interface Work {
  readonly job: ToolJob;
  readonly image: ResolvedImage | undefined;
}

/** One request of a step, and what came of it. */
export interface Attempt {
  readonly request: AwaitedRequest;
  /** Undefined where the request was never given one. */
  readonly container: EndedContainer | undefined;
  readonly reused: boolean;
}

/** Submits the work and waits for its end, whatever that is. Fails with `run/cancelled`. */
export async function attempt(
  work: Work,
  services: AttemptServices,
  signal: AbortSignal,
  properties: JsonObject = {},
): Promise<Attempt> {
  const submitted = await submit(work, services, properties);
  const reused = submitted.state === 'Final';
  const awaited = { uuid: submitted.uuid, what: `step ${work.job.name}`, known: submitted };
  const request = reused ? submitted : await awaitOrCancel(services, awaited, signal);
  const container = await readEnded(services.api, request);
  return { request, container, reused };
}

/** Each of the two requests names the other; the first by the property that arvados-cwl-runner gives it. */
export async function attemptAgain(
  work: Work,
  { request: { uuid, properties } }: Attempt,
  services: AttemptServices,
  signal: AbortSignal,
): Promise<Attempt> {
  const again = await attempt(work, services, signal, { 'hm:retryOf': uuid });
  const resubmitted = { 'arv:failed_container_resubmitted': again.request.uuid };
  await services.api.update('container_requests', uuid, { properties: { ...properties, ...resubmitted } });
  return again;
}

async function submit(
  { job, image }: Work,
  { api, emit, run, reuse, hostEnvironment, requests }: AttemptServices,
  properties: JsonObject,
): Promise<ContainerRequest> {
  const attributes = toContainerRequest(job, image ? image.portableDataHash : hostImage, { ...requests, reuse });
  const request = await api.create('container_requests', {
    ...attributes,
    properties: { ...attributes.properties, ...properties, 'hm:run': run, 'hm:step': job.name },
    ...(image ? {} : { environment: { ...hostEnvironment, ...attributes.environment } }),
  });
  emit({ type: 'step', name: job.name, status: 'submitted', request: request.uuid });
  return request;
}
