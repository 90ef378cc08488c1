import type { Resource } from '../../api/records.ts';
import { uuidInfix } from '../../core/ids.ts';

export type AttributeKind = 'string' | 'integer' | 'number' | 'boolean' | 'time' | 'array' | 'hash';

export interface Attribute {
  readonly kind: AttributeKind;
  readonly nullable: boolean;
  /** What a record gets when its maker says nothing; `undefined`: the cluster computes it or it must be given. */
  readonly initial: unknown;
  /** Only the cluster sets it. */
  readonly readOnly: boolean;
  /** Accepted from clients, never shown to them. */
  readonly writeOnly: boolean;
  /** Of a hash: its values are amounts. */
  readonly amounts: boolean;
  /** SQL that yields it. */
  readonly sql: string;
}

export interface ResourceSchema {
  readonly table: Resource;
  readonly infix: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

type Options = Partial<Pick<Attribute, 'nullable' | 'initial' | 'readOnly' | 'writeOnly' | 'amounts' | 'sql'>>;
type Declared = (name: string) => Attribute;

const declare =
  (kind: AttributeKind, options: Options): Declared =>
  (name) => ({ ...plain, kind, sql: name, ...options });

const plain = { nullable: false, initial: undefined, readOnly: false, writeOnly: false, amounts: false };

const string = (options: Options = {}) => declare('string', { initial: '', ...options });
const optional = (kind: AttributeKind, options: Options = {}) =>
  declare(kind, { nullable: true, initial: null, ...options });
const integer = (initial: number, options: Options = {}) => declare('integer', { initial, ...options });
const array = () => declare('array', { initial: [] });
const hash = (options: Options = {}) => declare('hash', { initial: {}, ...options });
const computed = (kind: AttributeKind, options: Options = {}) => declare(kind, { readOnly: true, ...options });

const base = {
  uuid: computed('string'),
  owner_uuid: declare('string', {}),
  created_at: computed('time'),
  modified_at: computed('time'),
};

const work = {
  command: array(),
  container_image: string(),
  cwd: string({ initial: '.' }),
  environment: hash(),
  mounts: hash(),
  output_path: string(),
  output_glob: array(),
  runtime_constraints: hash({ amounts: true }),
  scheduling_parameters: hash({ amounts: true }),
};

function define(table: Resource, infix: string, declared: Record<string, Declared>): ResourceSchema {
  const attributes = Object.entries({ ...base, ...declared }).map(([name, make]) => [name, make(name)] as const);
  return { table, infix, attributes: Object.fromEntries(attributes) };
}

const manifestText = `(SELECT m.manifest_text FROM manifests m WHERE m.portable_data_hash = collections.portable_data_hash)`;

export const schemas: Readonly<Record<Resource, ResourceSchema>> = {
  collections: define('collections', uuidInfix.collection, {
    name: optional('string'),
    description: optional('string'),
    properties: hash(),
    portable_data_hash: declare('string', {}),
    manifest_text: string({ sql: manifestText }),
    trash_at: optional('time'),
    delete_at: optional('time'),
  }),
  container_requests: define('container_requests', uuidInfix.container_request, {
    ...work,
    name: string(),
    description: string(),
    properties: hash(),
    state: string({ initial: 'Uncommitted' }),
    priority: integer(0),
    requesting_container_uuid: optional('string'),
    container_uuid: optional('string', { readOnly: true }),
    container_count: integer(0, { readOnly: true }),
    container_count_max: integer(3),
    use_existing: declare('boolean', { initial: true }),
    output_name: optional('string'),
    output_ttl: integer(0),
    output_properties: hash(),
    output_uuid: optional('string', { readOnly: true }),
    log_uuid: optional('string', { readOnly: true }),
    secret_mounts: hash({ writeOnly: true }),
    // Taken from clients and not kept: one machine has one storage class and publishes no ports.
    output_storage_classes: optional('array', { sql: 'NULL' }),
    service: optional('boolean', { sql: 'NULL' }),
    published_ports: optional('hash', { sql: 'NULL' }),
  }),
  containers: define('containers', uuidInfix.container, {
    ...work,
    state: string({ initial: 'Queued' }),
    priority: integer(0, { readOnly: true }),
    locked_by_uuid: optional('string', { readOnly: true }),
    lock_count: integer(0, { readOnly: true }),
    started_at: optional('time', { readOnly: true }),
    finished_at: optional('time', { readOnly: true }),
    exit_code: optional('integer'),
    output: optional('string'),
    log: optional('string'),
    output_properties: hash(),
    progress: optional('number'),
    runtime_status: hash(),
  }),
  links: define('links', uuidInfix.link, {
    link_class: string(),
    name: string(),
    tail_uuid: optional('string'),
    head_uuid: optional('string'),
    properties: hash(),
  }),
  logs: define('logs', uuidInfix.log, {
    id: computed('integer'),
    object_uuid: optional('string'),
    event_at: declare('time', {}),
    event_type: string(),
    properties: hash(),
  }),
  workflows: define('workflows', uuidInfix.workflow, {
    name: string(),
    description: string(),
    definition: string(),
  }),
};

/** Attributes that a list leaves out unless they are selected. */
export const unlisted: ReadonlySet<string> = new Set(['manifest_text']);
