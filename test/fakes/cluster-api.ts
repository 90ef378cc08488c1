import { apiError } from '../../src/api/errors.ts';
import type { ClusterApi, ClusterEvent, Filter, ListQuery } from '../../src/api/port.ts';
import type { Records, Resource } from '../../src/api/records.ts';
import { type Uuid, uuidInfix } from '../../src/core/ids.ts';
import { isJsonObject } from '../../src/core/json.ts';
import { portableDataHash } from '../../src/keep/manifest.ts';

type Attributes = Record<string, unknown>;

const infixes: Readonly<Record<Resource, string>> = {
  collections: uuidInfix.collection,
  container_requests: uuidInfix.container_request,
  containers: uuidInfix.container,
  links: uuidInfix.link,
  logs: uuidInfix.log,
  workflows: uuidInfix.workflow,
};

const work = {
  command: [],
  container_image: '',
  cwd: '.',
  environment: {},
  mounts: {},
  output_path: '',
  output_glob: [],
  runtime_constraints: { ram: 0, vcpus: 1 },
  scheduling_parameters: {},
};

const defaults: Readonly<Record<Resource, Attributes>> = {
  collections: { name: null, description: null, properties: {}, manifest_text: '', trash_at: null, delete_at: null },
  container_requests: {
    ...work,
    name: '',
    description: '',
    properties: {},
    state: 'Uncommitted',
    priority: 0,
    requesting_container_uuid: null,
    container_uuid: null,
    container_count: 0,
    container_count_max: 3,
    use_existing: true,
    output_name: null,
    output_ttl: 0,
    output_properties: {},
    output_uuid: null,
    log_uuid: null,
    secret_mounts: {},
  },
  containers: {
    ...work,
    state: 'Queued',
    priority: 0,
    locked_by_uuid: null,
    lock_count: 0,
    started_at: null,
    finished_at: null,
    exit_code: null,
    output: null,
    log: null,
    output_properties: {},
    progress: null,
    runtime_status: {},
  },
  links: { link_class: '', name: '', tail_uuid: null, head_uuid: null, properties: {} },
  logs: { object_uuid: null, event_type: '', properties: {} },
  workflows: { name: '', description: '', definition: '' },
};

/**
 * A cluster that only keeps records: no state rules, no reuse, no containers run. Each record is one second younger than the
 * one before. Attributes of what a container would have been given are set by who makes it.
 */
export function createFakeClusterApi(clusterId = 'zzzzz'): ClusterApi {
  const tables = new Map<Resource, Map<string, Attributes>>();
  const listeners = new Set<(event: ClusterEvent) => void>();
  let count = 0;
  const table = (resource: Resource) => {
    const known = tables.get(resource) ?? new Map<string, Attributes>();
    tables.set(resource, known);
    return known;
  };
  const find = (resource: Resource, uuid: string): Attributes => {
    const record = table(resource).get(uuid);
    if (record) return record;
    throw apiError('api/not-found', `expected a record of ${resource}, got none with uuid ${uuid}`);
  };
  const tell = (resource: Resource, uuid: string) => {
    for (const listener of listeners) listener({ resource, uuid: uuid as Uuid });
  };
  const nextTime = () => new Date(Date.UTC(2026, 0, 1) + count * 1000).toISOString();
  const toRecord = <R extends Resource>(record: Attributes) => structuredClone(record) as unknown as Records[R];

  return {
    get: async (resource, uuid) => toRecord(find(resource, uuid)),
    list: async (resource, query) => {
      const matching = [...table(resource).values()].filter((record) => (query.filters ?? []).every(matches(record)));
      const offset = query.offset ?? 0;
      const items = matching.sort(toOrder(query.order)).slice(offset, offset + (query.limit ?? 100));
      return { items: items.map((record) => toRecord(selected(record, query))), itemsAvailable: matching.length };
    },
    create: async (resource, attributes) => {
      count += 1;
      const uuid = `${clusterId}-${infixes[resource]}-${count.toString(36).padStart(15, '0')}`;
      const time = nextTime();
      const record: Attributes = {
        uuid,
        owner_uuid: `${clusterId}-${uuidInfix.user}-000000000000000`,
        created_at: time,
        modified_at: time,
        ...(resource === 'logs' ? { id: count, event_at: time } : {}),
        ...defaults[resource],
        ...structuredClone(attributes),
      };
      table(resource).set(uuid, withHash(resource, record));
      tell(resource, uuid);
      return toRecord(find(resource, uuid));
    },
    update: async (resource, uuid, attributes) => {
      count += 1;
      const record = { ...find(resource, uuid), ...structuredClone(attributes), modified_at: nextTime() };
      table(resource).set(uuid, withHash(resource, record));
      tell(resource, uuid);
      return toRecord(find(resource, uuid));
    },
    remove: async (resource, uuid) => {
      find(resource, uuid);
      table(resource).delete(uuid);
      tell(resource, uuid);
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function withHash(resource: Resource, record: Attributes): Attributes {
  if (resource !== 'collections') return record;
  return { ...record, portable_data_hash: portableDataHash(String(record.manifest_text)) };
}

function selected(record: Attributes, query: ListQuery): Attributes {
  const { select } = query;
  return Object.fromEntries(
    Object.entries(record).filter(([name]) => (select ? select.includes(name) : name !== 'manifest_text')),
  );
}

function toOrder(order: readonly string[] = ['created_at desc', 'uuid desc']) {
  const keys = order.map((text) => text.split(' ') as [string, string?]);
  return (a: Attributes, b: Attributes): number => {
    for (const [attribute, direction] of keys) {
      const compared = compare(a[attribute], b[attribute]);
      if (compared !== 0) return direction === 'desc' ? -compared : compared;
    }
    return 0;
  };
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** The operators of "Common resource methods", filters; `null` meets only `=`, `!=` and `in`. */
function matches(record: Attributes) {
  return ([attribute, operator, operand]: Filter): boolean => {
    const value = readAttribute(record, attribute);
    switch (operator) {
      case '=':
        return value === operand;
      case '!=':
        return value !== operand;
      case '<':
        return value != null && compare(value, operand) < 0;
      case '<=':
        return value != null && compare(value, operand) <= 0;
      case '>':
        return value != null && compare(value, operand) > 0;
      case '>=':
        return value != null && compare(value, operand) >= 0;
      case 'in':
        return Array.isArray(operand) && operand.includes(value);
      case 'not in':
        return Array.isArray(operand) && !operand.includes(value);
      case 'like':
        return isText(value) && toPattern(operand, '').test(value);
      case 'ilike':
        return isText(value) && toPattern(operand, 'i').test(value);
      case 'exists':
        return isJsonObject(value) && Object.hasOwn(value, String(operand));
      case 'contains':
        return Array.isArray(value) ? value.includes(operand) : value === operand;
      case 'is_a':
        return isText(value) && value.includes(`-${infixOf(operand)}-`);
      default:
        throw apiError('api/bad-filter', `the fake cluster does not know the operator "${operator}"`);
    }
  };
}

function readAttribute(record: Attributes, attribute: string): unknown {
  const [name = '', ...path] = attribute.split('.');
  if (!Object.hasOwn(record, name)) throw apiError('api/bad-filter', `no attribute "${name}" to filter by`);
  const value = record[name];
  return path.length === 0 ? value : isJsonObject(value) ? value[path.join('.')] : undefined;
}

function infixOf(kind: unknown): string {
  const name = String(kind).replace('arvados#', '');
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return uuidInfix[snake as keyof typeof uuidInfix];
}

/** SQL's LIKE: `%` is any text, `_` any one character. */
function toPattern(operand: unknown, flags: string): RegExp {
  const source = String(operand)
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${source}$`, `s${flags}`);
}
