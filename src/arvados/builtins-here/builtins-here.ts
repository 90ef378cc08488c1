import { apiError } from '../../api/errors.ts';
import type { ClusterApi, ClusterEvent } from '../../api/port.ts';
import { builtinImage, type Container, type ContainerRequest, type Mounts } from '../../api/records.ts';
import { isHallmarkError, toMessage } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import type { ArvadosCluster } from '../open.ts';
import { findEarlier, listWithOurs } from './look-up.ts';
import {
  isOurs,
  toContainer,
  toContainerUuid,
  toProperties,
  toRequestUuid,
  toShownRequest,
  toWorkKey,
} from './record.ts';

type Run = (container: Container, signal: AbortSignal) => Promise<void>;

export interface BuiltinsHere {
  /** The cluster, with pulls and builds among its containers. */
  readonly api: Pick<ArvadosCluster, keyof ClusterApi | 'previewReuse' | 'secretMounts'>;
  /** Runs with `run` what is submitted from now on. Returns the call that ends what still runs, and waits for it. */
  serve(run: Run): () => Promise<void>;
}

/** A pull or build of this process. */
interface Job {
  readonly request: ContainerRequest;
  readonly secretMounts: Mounts;
  readonly key: string | undefined;
  readonly stop: AbortController;
  container: Container;
  done: Promise<void>;
}

/**
 * For a cluster without builtin requests: this machine does them. The images go to the cluster's Keep; what was done stays in a request
 * that is never committed, and is shown as what it stands for, to this and every later process.
 */
export function createBuiltinsHere(cluster: ArvadosCluster): BuiltinsHere {
  const jobs = new Map<Uuid, Job>();
  const listeners = new Set<(event: ClusterEvent) => void>();
  let runner: Run | undefined;
  const tell = ({ request, container }: Job): void => {
    for (const listener of [...listeners]) {
      listener({ resource: 'containers', uuid: container.uuid });
      listener({ resource: 'container_requests', uuid: request.uuid });
    }
  };
  const jobOf = (uuid: Uuid): Job | undefined => jobs.get(toContainerUuid(uuid));

  const submit = async (given: Partial<ContainerRequest>, run: Run): Promise<ContainerRequest> => {
    const { secret_mounts: secretMounts = {}, ...attributes } = given;
    const key = toWorkKey(given);
    const earlier = given.use_existing === false ? undefined : await findEarlier(cluster, key);
    const kept = earlier ? toProperties(toContainer(earlier), key) : toProperties({ state: 'Locked' }, key);
    const record = await cluster.create('container_requests', {
      ...attributes,
      state: 'Uncommitted',
      properties: { ...attributes.properties, ...kept },
    });
    if (earlier) return toShownRequest(record);
    const job: Job = {
      ...{ request: record, container: toContainer(record), secretMounts, key },
      ...{ stop: new AbortController(), done: Promise.resolve() },
    };
    jobs.set(job.container.uuid, job);
    job.done = runJob(job, run);
    return shown(job);
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

  /** States are kept on the cluster, reports in between only here. */
  const change = async (job: Job, attributes: Partial<Container>): Promise<Container> => {
    if (hasEnded(job.container)) throw apiError('api/forbidden-change', `${job.container.uuid} has ended`);
    const now = new Date().toISOString();
    const { state } = attributes;
    const started = state === 'Running' ? { started_at: now } : {};
    const finished = state === 'Complete' || state === 'Cancelled' ? { finished_at: now } : {};
    const next = { ...job.container, ...attributes, ...started, ...finished, modified_at: now };
    if (state !== undefined && state !== job.container.state) {
      const properties = { ...job.request.properties, ...toProperties(next, job.key) };
      await cluster.update('container_requests', job.request.uuid, { properties }, { select: ['uuid'] });
    }
    job.container = next;
    tell(job);
    return next;
  };

  const getContainer = async (uuid: Uuid): Promise<Container> => {
    const known = jobs.get(uuid);
    if (known) return known.container;
    try {
      return await cluster.get('containers', uuid);
    } catch (error) {
      if (!isHallmarkError(error, 'api/not-found')) throw error;
      const request = await cluster.get('container_requests', toRequestUuid(uuid)).catch(() => undefined);
      if (request && isOurs(request)) return toContainer(request);
      throw error;
    }
  };

  const updateRequest = async (uuid: Uuid, attributes: Partial<ContainerRequest>): Promise<ContainerRequest> => {
    const job = jobOf(uuid);
    if (!job) return toShownRequest(await cluster.update('container_requests', uuid, attributes));
    if (attributes.priority === 0) job.stop.abort(new Error('no request wants this container any more'));
    return shown(job);
  };

  const api: BuiltinsHere['api'] = {
    list: async (resource, query) => listWithOurs(cluster, resource, query),
    async get(resource, uuid) {
      type Got = Awaited<ReturnType<typeof cluster.get<typeof resource>>>;
      if (resource === 'containers') return (await getContainer(uuid)) as Got;
      if (resource !== 'container_requests') return cluster.get(resource, uuid);
      const job = jobOf(uuid);
      return (job ? shown(job) : toShownRequest(await cluster.get('container_requests', uuid))) as Got;
    },
    async create(resource, attributes, options) {
      type Made = Awaited<ReturnType<typeof cluster.create<typeof resource>>>;
      const request = attributes as Partial<ContainerRequest>;
      const isBuiltin = request.container_image === builtinImage && request.state === 'Committed';
      if (resource !== 'container_requests' || !isBuiltin || !runner)
        return cluster.create(resource, attributes, options);
      return (await submit(request, runner)) as Made;
    },
    async update(resource, uuid, attributes, options) {
      type Changed = Awaited<ReturnType<typeof cluster.update<typeof resource>>>;
      const job = resource === 'containers' ? jobs.get(uuid) : undefined;
      if (job) return (await change(job, attributes as Partial<Container>)) as Changed;
      if (resource === 'container_requests') {
        return (await updateRequest(uuid, attributes as Partial<ContainerRequest>)) as Changed;
      }
      return cluster.update(resource, uuid, attributes, options);
    },
    remove: (resource, uuid) => cluster.remove(resource, uuid),
    watch(listener) {
      listeners.add(listener);
      const end = cluster.watch(listener);
      return () => {
        listeners.delete(listener);
        end();
      };
    },
    async previewReuse(attributes) {
      if (attributes.container_image !== builtinImage) return cluster.previewReuse(attributes);
      const earlier = attributes.use_existing === false ? undefined : await findEarlier(cluster, toWorkKey(attributes));
      return earlier && toContainerUuid(earlier.uuid);
    },
    secretMounts: async (uuid) => jobs.get(uuid)?.secretMounts ?? cluster.secretMounts(uuid),
  };
  return {
    api,
    serve(run) {
      runner = run;
      return async () => {
        runner = undefined;
        for (const { stop } of jobs.values()) stop.abort(new Error('the run ends'));
        await Promise.all([...jobs.values()].map(({ done }) => done));
      };
    },
  };
}

const hasEnded = ({ state }: Container): boolean => state === 'Complete' || state === 'Cancelled';

/** With the container as it is now. */
function shown({ request, container, key }: Job): ContainerRequest {
  const properties = { ...request.properties, ...toProperties(container, key) };
  return toShownRequest({ ...request, properties });
}
