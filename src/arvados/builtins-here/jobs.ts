import { apiError } from '../../api/errors.ts';
import type { ClusterEvent } from '../../api/port.ts';
import type { Container, ContainerRequest, Mounts } from '../../api/records.ts';
import { toMessage } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import type { ArvadosCluster } from '../open.ts';
import { findEarlier } from './look-up.ts';
import { toContainer, toContainerUuid, toProperties, toShownRequest, toWorkKey } from './record.ts';

/** Brings a container to its end, reporting states through the API. */
export type Run = (container: Container, signal: AbortSignal) => Promise<void>;

/** A pull or build of this process. */
export interface Job {
  readonly request: ContainerRequest;
  readonly secretMounts: Mounts;
  readonly key: string | undefined;
  readonly stop: AbortController;
  container: Container;
  done: Promise<void>;
}

/** The pulls and builds that this process does, until they have ended. */
export interface Jobs {
  /** By the uuid of the container. */
  find(container: Uuid): Job | undefined;
  /** Starts the work, unless an earlier request has done it. */
  submit(given: Partial<ContainerRequest>, run: Run): Promise<ContainerRequest>;
  /** States are kept on the cluster, reports in between only here. */
  change(job: Job, attributes: Partial<Container>): Promise<Container>;
  watch(listener: (event: ClusterEvent) => void): () => void;
  /** Ends what still runs, and waits for it. */
  stop(): Promise<void>;
}

export function createJobs(cluster: ArvadosCluster): Jobs {
  const jobs = new Map<Uuid, Job>();
  const listeners = new Set<(event: ClusterEvent) => void>();
  const change = async (job: Job, attributes: Partial<Container>): Promise<Container> => {
    const next = await changeContainer(cluster, job, attributes);
    for (const listener of [...listeners]) {
      listener({ resource: 'containers', uuid: next.uuid });
      listener({ resource: 'container_requests', uuid: job.request.uuid });
    }
    return next;
  };
  const runJob = async (job: Job, run: Run): Promise<void> => {
    let error = 'what ran it returned before it had ended';
    try {
      await run(job.container, job.stop.signal);
    } catch (reason) {
      error = toMessage(reason);
    }
    if (!hasEnded(job.container)) await change(job, { state: 'Cancelled', runtime_status: { error } }).catch(() => {});
    jobs.delete(job.container.uuid);
  };
  return {
    find: (uuid) => jobs.get(uuid),
    change,
    async submit(given, run) {
      const { record, key, isDone } = await createRecord(cluster, given);
      if (isDone) return toShownRequest(record);
      const job: Job = {
        ...{ request: record, container: toContainer(record), secretMounts: given.secret_mounts ?? {}, key },
        ...{ stop: new AbortController(), done: Promise.resolve() },
      };
      jobs.set(toContainerUuid(record.uuid), job);
      job.done = runJob(job, run);
      return toShown(job);
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      for (const { stop } of jobs.values()) stop.abort(new Error('the run ends'));
      await Promise.all([...jobs.values()].map(({ done }) => done));
    },
  };
}

/** The request as the cluster keeps it; its secrets stay here. */
async function createRecord(cluster: ArvadosCluster, given: Partial<ContainerRequest>) {
  const { secret_mounts: _secret, ...attributes } = given;
  const key = toWorkKey(given);
  const earlier = given.use_existing === false ? undefined : await findEarlier(cluster, key);
  const kept = toProperties(earlier ? toContainer(earlier) : { state: 'Locked' }, key);
  const record = await cluster.create('container_requests', {
    ...attributes,
    state: 'Uncommitted',
    properties: { ...attributes.properties, ...kept },
  });
  return { record, key, isDone: earlier !== undefined };
}

async function changeContainer(cluster: ArvadosCluster, job: Job, attributes: Partial<Container>): Promise<Container> {
  if (hasEnded(job.container)) throw apiError('api/forbidden-change', `${job.container.uuid} has ended`);
  const now = new Date().toISOString();
  const next = { ...job.container, ...attributes, modified_at: now };
  if (next.state !== job.container.state) {
    if (next.state === 'Running') next.started_at = now;
    if (hasEnded(next)) next.finished_at = now;
    const properties = { ...job.request.properties, ...toProperties(next, job.key) };
    await cluster.update('container_requests', job.request.uuid, { properties }, { select: ['uuid'] });
  }
  job.container = next;
  return next;
}

const hasEnded = ({ state }: Pick<Container, 'state'>): boolean => state === 'Complete' || state === 'Cancelled';

/** The request with the container as it is now. */
export function toShown({ request, container, key }: Job): ContainerRequest {
  const properties = { ...request.properties, ...toProperties(container, key) };
  return toShownRequest({ ...request, properties });
}
