import { apiError } from '../../src/api/errors.ts';
import type { ClusterApi } from '../../src/api/port.ts';
import type { CollectionRecord, Container, Records, Resource } from '../../src/api/records.ts';
import { toUuid, type Uuid } from '../../src/core/ids.ts';
import { parseManifest } from '../../src/keep/manifest.ts';

/** Collections and containers in memory, with the state rules that crunch-run meets. Notes every state a container had. */
export interface FakeRecords extends ClusterApi {
  readonly states: Map<Uuid, string[]>;
  addContainer(work: Partial<Container>): Container;
  /** Makes `create` or `update` fail for what the call says, until it returns undefined. */
  refuse(fault: (resource: Resource, attributes: object) => Error | undefined): void;
}

const next: Record<string, readonly string[]> = {
  Queued: ['Locked', 'Cancelled'],
  Locked: ['Queued', 'Running', 'Cancelled'],
  Running: ['Complete', 'Cancelled'],
  Complete: [],
  Cancelled: [],
};

export function createFakeRecords(): FakeRecords {
  const containers = new Map<Uuid, Container>();
  const collections = new Map<Uuid, CollectionRecord>();
  const states = new Map<Uuid, string[]>();
  let count = 0;
  let fault: Parameters<FakeRecords['refuse']>[0] = () => undefined;
  const newUuid = (infix: string): Uuid => {
    count += 1;
    return toUuid(`zzzzz-${infix}-${String(count).padStart(15, '0')}`);
  };
  const meet = (resource: Resource, attributes: object): void => {
    const error = fault(resource, attributes);
    if (error) throw error;
  };
  const find = <T>(records: Map<Uuid, T>, uuid: Uuid): T => {
    const record = records.get(uuid);
    if (record === undefined) throw apiError('api/not-found', `no record ${uuid}`);
    return record;
  };
  const tableOf = (resource: Resource): Map<Uuid, Records[Resource]> => {
    if (resource === 'containers') return containers as Map<Uuid, Records[Resource]>;
    if (resource === 'collections') return collections as Map<Uuid, Records[Resource]>;
    throw apiError('api/bad-attribute', `the fake has no ${resource}`);
  };
  const updateContainer = (uuid: Uuid, attributes: Partial<Container>): Container => {
    const current = find(containers, uuid);
    const state = attributes.state ?? current.state;
    if (state !== current.state && !next[current.state]?.includes(state)) {
      throw apiError('api/forbidden-change', `container ${uuid}: no way from ${current.state} to ${state}`);
    }
    if (next[current.state]?.length === 0) throw apiError('api/forbidden-change', `container ${uuid} has ended`);
    for (const hash of [attributes.output, attributes.log]) {
      if (hash && ![...collections.values()].some((one) => one.portable_data_hash === hash)) {
        throw apiError('api/bad-attribute', `no collection ${hash}`);
      }
    }
    const updated = { ...current, ...attributes };
    containers.set(uuid, updated);
    if (state !== current.state) states.get(uuid)?.push(state);
    return updated;
  };
  return {
    states,
    refuse: (given) => {
      fault = given;
    },
    addContainer(work) {
      const container = { ...template, uuid: newUuid('dz642'), ...work };
      containers.set(container.uuid, container);
      states.set(container.uuid, [container.state]);
      return container;
    },
    get: async (resource, uuid) => find(tableOf(resource), uuid) as Records[typeof resource],
    async list(resource, query) {
      const [[attribute, , operand] = []] = query.filters ?? [];
      const items = [...tableOf(resource).values()].filter(
        (record) => attribute === undefined || (record as unknown as Record<string, unknown>)[attribute] === operand,
      );
      return { items: items as Records[typeof resource][], itemsAvailable: items.length };
    },
    async create(resource, attributes) {
      meet(resource, attributes);
      const { manifest_text = '' } = attributes as Partial<CollectionRecord>;
      const uuid = newUuid('4zz18');
      const { portableDataHash } = parseManifest(manifest_text);
      const record = { ...attributes, uuid, manifest_text, portable_data_hash: portableDataHash };
      tableOf(resource).set(uuid, record as unknown as Records[Resource]);
      return record as unknown as Records[typeof resource];
    },
    async update(resource, uuid, attributes) {
      meet(resource, attributes);
      if (resource !== 'containers') throw apiError('api/bad-attribute', `the fake updates no ${resource}`);
      return updateContainer(uuid, attributes as Partial<Container>) as unknown as Records[typeof resource];
    },
    async remove(resource, uuid) {
      tableOf(resource).delete(uuid);
    },
    watch: () => () => {},
  };
}

const template: Container = {
  uuid: toUuid('zzzzz-dz642-000000000000000'),
  owner_uuid: 'zzzzz-tpzed-000000000000000',
  created_at: '2026-01-01T00:00:00.000000000Z',
  modified_at: '2026-01-01T00:00:00.000000000Z',
  command: ['true'],
  container_image: 'hallmark/host',
  cwd: '.',
  environment: {},
  mounts: {},
  output_path: '/hallmark.host/out',
  output_glob: [],
  runtime_constraints: { ram: 0, vcpus: 1 },
  scheduling_parameters: {},
  state: 'Locked',
  priority: 1,
  locked_by_uuid: 'zzzzz-tpzed-000000000000000',
  lock_count: 1,
  started_at: null,
  finished_at: null,
  exit_code: null,
  output: null,
  log: null,
  output_properties: {},
  progress: null,
  runtime_status: {},
};
