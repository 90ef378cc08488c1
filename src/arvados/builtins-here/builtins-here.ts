import type { ClusterApi } from '../../api/port.ts';
import { builtinImage, type Container, type ContainerRequest, type Records, type Resource } from '../../api/records.ts';
import { isHallmarkError } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import type { ArvadosCluster } from '../open.ts';
import { createJobs, type Jobs, type Run, toShown } from './jobs.ts';
import { findEarlier, listWithOurs } from './look-up.ts';
import { isOurs, toContainer, toContainerUuid, toRequestUuid, toShownRequest, toWorkKey } from './record.ts';

export interface BuiltinsHere {
  /** The cluster, with pulls and builds among its containers. */
  readonly api: Pick<ArvadosCluster, keyof ClusterApi | 'previewReuse' | 'secretMounts'>;
  /** Runs with `run` what is submitted from now on. Returns the call that ends what still runs, and waits for it. */
  serve(run: Run): () => Promise<void>;
}

/**
 * For a cluster without builtin requests: this machine does them. The images go to the cluster's Keep; what was done stays in a request
 * that is never committed, and is shown as what it stands for, to this and every later process.
 */
export function createBuiltinsHere(cluster: ArvadosCluster): BuiltinsHere {
  const jobs = createJobs(cluster);
  let runner: Run | undefined;
  return {
    api: createApi(cluster, jobs, () => runner),
    serve(run) {
      runner = run;
      return async () => {
        runner = undefined;
        await jobs.stop();
      };
    },
  };
}

function createApi(cluster: ArvadosCluster, jobs: Jobs, runner: () => Run | undefined): BuiltinsHere['api'] {
  return {
    list: async (resource, query) => listWithOurs(cluster, resource, query),
    get: async <R extends Resource>(resource: R, uuid: Uuid) => {
      if (resource === 'containers') return (await getContainer(cluster, jobs, uuid)) as Records[R];
      if (resource === 'container_requests') return (await getRequest(cluster, jobs, uuid)) as Records[R];
      return cluster.get(resource, uuid);
    },
    async create(resource, attributes, options) {
      const run = runner();
      const request = attributes as Partial<ContainerRequest>;
      const isBuiltin = request.container_image === builtinImage && request.state === 'Committed';
      if (resource !== 'container_requests' || !isBuiltin || !run) return cluster.create(resource, attributes, options);
      return (await jobs.submit(request, run)) as Records[typeof resource];
    },
    update: async <R extends Resource>(
      ...[resource, uuid, attributes, options]: Parameters<typeof cluster.update<R>>
    ) => {
      const job = resource === 'containers' ? jobs.find(uuid) : undefined;
      if (job) return (await jobs.change(job, attributes as Partial<Container>)) as Records[R];
      if (resource !== 'container_requests') return cluster.update(resource, uuid, attributes, options);
      return (await updateRequest(cluster, jobs, uuid, attributes as Partial<ContainerRequest>)) as Records[R];
    },
    remove: (resource, uuid) => cluster.remove(resource, uuid),
    watch(listener) {
      const ends = [jobs.watch(listener), cluster.watch(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
    async previewReuse(attributes) {
      if (attributes.container_image !== builtinImage) return cluster.previewReuse(attributes);
      const earlier = attributes.use_existing === false ? undefined : await findEarlier(cluster, toWorkKey(attributes));
      return earlier && toContainerUuid(earlier.uuid);
    },
    secretMounts: async (uuid) => jobs.find(uuid)?.secretMounts ?? cluster.secretMounts(uuid),
  };
}

async function getRequest(cluster: ArvadosCluster, jobs: Jobs, uuid: Uuid): Promise<ContainerRequest> {
  const job = jobs.find(toContainerUuid(uuid));
  return job ? toShown(job) : toShownRequest(await cluster.get('container_requests', uuid));
}

/** One of an earlier process is read from its request. */
async function getContainer(cluster: ArvadosCluster, jobs: Jobs, uuid: Uuid): Promise<Container> {
  const job = jobs.find(uuid);
  if (job) return job.container;
  try {
    return await cluster.get('containers', uuid);
  } catch (error) {
    if (!isHallmarkError(error, 'api/not-found')) throw error;
    const request = await cluster.get('container_requests', toRequestUuid(uuid)).catch(() => undefined);
    if (request && isOurs(request)) return toContainer(request);
    throw error;
  }
}

/** Priority 0 takes a request back. */
async function updateRequest(
  cluster: ArvadosCluster,
  jobs: Jobs,
  uuid: Uuid,
  attributes: Partial<ContainerRequest>,
): Promise<ContainerRequest> {
  const job = jobs.find(toContainerUuid(uuid));
  if (!job) return toShownRequest(await cluster.update('container_requests', uuid, attributes));
  if (attributes.priority === 0) job.stop.abort(new Error('no request wants this container any more'));
  return toShown(job);
}
