import { builtinImage, hostImage, type Resource } from '../../api/records.ts';
import { toKind } from '../query/filters.ts';
import { type Attribute, type ResourceSchema, schemas } from '../store/schema.ts';
import { maxRequestBytes } from './parameters.ts';

/** What Google API clients, Arvados' own among them, build their methods from (Discovery document v1). */
export function discoveryDocument(origin: string, clusterId: string): object {
  const resources = Object.values(schemas);
  return {
    kind: 'discovery#restDescription',
    discoveryVersion: 'v1',
    id: 'arvados:v1',
    name: 'arvados',
    version: 'v1',
    revision: '20250402',
    title: 'Arvados API',
    description: 'The records of an embedded cluster.',
    documentationLink: 'https://doc.arvados.org/api/index.html',
    protocol: 'rest',
    baseUrl: `${origin}/arvados/v1/`,
    basePath: '/arvados/v1/',
    rootUrl: `${origin}/`,
    servicePath: 'arvados/v1/',
    batchPath: 'batch',
    uuidPrefix: clusterId,
    remoteHosts: {},
    maxRequestSize: maxRequestBytes,
    defaultCollectionReplication: 1,
    blobSignatureTtl: 0,
    maxItemsPerResponse: 1000,
    // Not of Arvados: what `container_image` may be beside a portable data hash.
    specialContainerImages: [builtinImage, hostImage],
    parameters: { alt: { type: 'string', enum: ['json'], default: 'json', location: 'query' } },
    auth: {
      oauth2: { scopes: { 'https://api.arvados.org/auth/arvados': { description: 'View and manage objects' } } },
    },
    schemas: Object.fromEntries([...resources.flatMap(toSchemas), ...otherSchemas]),
    resources: Object.fromEntries([
      ...resources.map((schema) => [schema.table, { methods: methodsOf(schema.table) }]),
      ['users', { methods: { current: method('users', 'current', 'GET', 'users/current', {}, 'User') } }],
      ['configs', { methods: { get: method('configs', 'get', 'GET', 'config', {}, 'Config') } }],
      ['keep_services', { methods: { accessible: accessibleServices } }],
    ]),
  };
}

type Parameters = Readonly<Record<string, object>>;

const uuid = { type: 'string', required: true, location: 'path' };
const select = { type: 'array', required: false, location: 'query' };
const listParameters: Parameters = {
  filters: { type: 'array', required: false, location: 'query' },
  order: { type: 'array', required: false, location: 'query' },
  limit: { type: 'integer', required: false, default: '100', location: 'query' },
  offset: { type: 'integer', required: false, default: '0', location: 'query' },
  count: { type: 'string', required: false, default: 'exact', location: 'query' },
  select,
};
const uniqueName = { type: 'boolean', required: false, default: 'false', location: 'query' };

function methodsOf(resource: Resource): object {
  const name = className(resource);
  const body = { request: { required: true, properties: { [resource.slice(0, -1)]: { $ref: name } } } };
  const record = `${resource}/{uuid}`;
  const common = {
    get: method(resource, 'get', 'GET', record, { uuid, select }, name),
    list: method(resource, 'list', 'GET', resource, listParameters, `${name}List`),
    create: {
      ...method(resource, 'create', 'POST', resource, { select, ensure_unique_name: uniqueName }, name),
      ...body,
    },
    update: { ...method(resource, 'update', 'PUT', record, { uuid, select }, name), ...body },
    delete: method(resource, 'delete', 'DELETE', record, { uuid }, name),
  };
  if (resource !== 'containers') return common;
  return {
    ...common,
    current: method(resource, 'current', 'GET', `${resource}/current`, {}, name),
    lock: method(resource, 'lock', 'POST', `${record}/lock`, { uuid }, name),
    unlock: method(resource, 'unlock', 'POST', `${record}/unlock`, { uuid }, name),
    auth: method(resource, 'auth', 'GET', `${record}/auth`, { uuid }, 'ApiClientAuthorization'),
    secret_mounts: method(resource, 'secret_mounts', 'GET', `${record}/secret_mounts`, { uuid }, name),
  };
}

function method(
  resource: string,
  name: string,
  httpMethod: string,
  path: string,
  parameters: Parameters,
  response: string,
): object {
  return {
    id: `arvados.${resource}.${name}`,
    path,
    httpMethod,
    description: `${name} ${resource}`,
    parameters,
    parameterOrder: 'uuid' in parameters ? ['uuid'] : [],
    response: { $ref: response },
    scopes: ['https://api.arvados.org/auth/arvados'],
  };
}

/** `container_requests` → `ContainerRequest`. */
function className(resource: Resource): string {
  const kind = toKind(resource).slice('arvados#'.length);
  return kind.charAt(0).toUpperCase() + kind.slice(1);
}

const wireTypes: Readonly<Record<Attribute['kind'], string>> = {
  string: 'string',
  integer: 'integer',
  number: 'float',
  boolean: 'boolean',
  time: 'datetime',
  array: 'Array',
  hash: 'Hash',
};

function toSchemas(schema: ResourceSchema): [string, object][] {
  const name = className(schema.table);
  const attributes = Object.entries(schema.attributes).map(([key, { kind }]) => [key, { type: wireTypes[kind] }]);
  const items = { type: 'array', items: { $ref: name } };
  return [
    [name, { id: name, type: 'object', uuidPrefix: schema.infix, properties: Object.fromEntries(attributes) }],
    [`${name}List`, { id: `${name}List`, type: 'object', properties: { kind: { type: 'string' }, items } }],
  ];
}

const accessibleServices = method(
  'keep_services',
  'accessible',
  'GET',
  'keep_services/accessible',
  {},
  'KeepServiceList',
);

const otherSchemas = [
  ['User', 'tpzed'],
  ['ApiClientAuthorization', 'gj3su'],
  ['KeepServiceList', 'bi6l4'],
  ['Config', ''],
].map(([id, uuidPrefix]) => [
  id,
  { id, type: 'object', uuidPrefix, properties: { uuid: { type: 'string' }, kind: { type: 'string' } } },
]);
