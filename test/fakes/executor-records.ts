import type { ClusterApi } from '../../src/api/port.ts';
import { type Container, hostImage, type Records, type Resource } from '../../src/api/records.ts';
import { openCluster } from '../../src/cluster/cluster.ts';
import type { Uuid } from '../../src/core/ids.ts';

/** The embedded cluster in memory, with containers whose work is whatever a test wants, also what no request may ask for. */
export interface ContainerRecords extends ClusterApi {
  /** Every state that a container had. */
  readonly states: Map<Uuid, string[]>;
  /** A container, locked unless `work` says another state. */
  addContainer(work: Partial<Container>): Promise<Container>;
  /** Makes `create` and `update` fail with what this returns for a call. */
  refuse(fault: Fault): void;
  close(): void;
}

type Fault = (resource: Resource, attributes: object) => Error | undefined;

export function createContainerRecords(): ContainerRecords {
  const cluster = openCluster({ path: ':memory:' });
  const states = new Map<Uuid, string[]>();
  const works = new Map<Uuid, Partial<Container>>();
  let fault: Fault = () => undefined;
  const meetFault = (resource: Resource, attributes: object): void => {
    const error = fault(resource, attributes);
    if (error) throw error;
  };
  const get = async <R extends Resource>(resource: R, uuid: Uuid): Promise<Records[R]> => ({
    ...(await cluster.get(resource, uuid)),
    ...(works.get(uuid) as Partial<Records[R]> | undefined),
  });
  return {
    ...cluster,
    states,
    refuse: (given) => {
      fault = given;
    },
    get,
    async addContainer({ state = 'Locked', ...work }) {
      const { container_uuid: uuid } = await cluster.create('container_requests', template);
      if (!uuid) throw new Error('the request got no container');
      if (state === 'Locked') await cluster.update('containers', uuid, { state });
      states.set(uuid, [state]);
      works.set(uuid, work);
      return get('containers', uuid);
    },
    async create(resource, attributes) {
      meetFault(resource, attributes);
      return cluster.create(resource, attributes);
    },
    async update(resource, uuid, attributes) {
      meetFault(resource, attributes);
      const updated = await cluster.update(resource, uuid, attributes);
      const state = 'state' in attributes ? attributes.state : undefined;
      if (resource === 'containers' && state) states.get(uuid)?.push(String(state));
      return updated;
    },
  };
}

const template = {
  name: 'a step',
  state: 'Committed',
  priority: 500,
  command: ['true'],
  container_image: hostImage,
  cwd: '.',
  output_path: '/hallmark.host/out',
  mounts: { '/hallmark.host/out': { kind: 'tmp', capacity: 1_000_000 } },
  runtime_constraints: { ram: 268_435_456, vcpus: 1 },
  use_existing: false,
  container_count_max: 1,
} as const;
