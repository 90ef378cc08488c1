import { apiError } from '../api/errors.ts';
import {
  builtinImage,
  type ContainerRequest,
  hostImage,
  type Records,
  type Resource,
  type RuntimeConstraints,
} from '../api/records.ts';
import { isJsonObject } from '../core/json.ts';
import { toNumber } from '../core/numbers.ts';
import type { Capabilities } from './capabilities.ts';

/** What a cluster leaves out or gives as null, and our records do not. */
const defaults: Readonly<Record<Resource, Readonly<Record<string, unknown>>>> = {
  collections: { properties: {} },
  container_requests: {
    ...{ name: '', description: '', priority: 0, container_count: 0, output_ttl: 0 },
    ...{ properties: {}, environment: {}, mounts: {}, secret_mounts: {}, output_properties: {} },
    ...{ runtime_constraints: {}, scheduling_parameters: {}, command: [], output_glob: [] },
  },
  containers: {
    ...{ priority: 0, lock_count: 0, environment: {}, mounts: {}, runtime_status: {}, output_properties: {} },
    ...{ runtime_constraints: {}, scheduling_parameters: {}, command: [], output_glob: [] },
  },
  links: { name: '', link_class: '', properties: {} },
  logs: { properties: {} },
  workflows: { name: '', description: '', definition: '' },
};

/** Fails with `api/bad-response`. */
export function toRecord<R extends Resource>(resource: R, value: unknown, select?: readonly string[]): Records[R] {
  if (!isJsonObject(value) || ((select?.includes('uuid') ?? true) && typeof value.uuid !== 'string')) {
    throw apiError('api/bad-response', `expected a record of ${resource}, got ${JSON.stringify(value)?.slice(0, 120)}`);
  }
  const { kind: _kind, etag: _etag, ...attributes } = value;
  const record = Object.fromEntries(Object.entries(attributes).map(([name, amount]) => [name, toNumber(amount)]));
  for (const [name, initial] of Object.entries(defaults[resource])) {
    if (select === undefined || select.includes(name)) record[name] ??= initial;
  }
  return record as unknown as Records[R];
}

/** The attributes as this cluster takes them. Fails with `api/unsupported` before anything is sent. */
export function toAttributes<R extends Resource>(
  resource: R,
  attributes: Partial<Records[R]>,
  capabilities: Capabilities,
): Readonly<Record<string, unknown>> {
  return resource === 'container_requests'
    ? toRequest(attributes as Partial<ContainerRequest>, capabilities)
    : attributes;
}

function toRequest(request: Partial<ContainerRequest>, can: Capabilities): Readonly<Record<string, unknown>> {
  checkImage(request, can);
  const { output_glob, output_properties, output_storage_classes, service, published_ports, ...rest } = request;
  if ((service || published_ports) && !can.services) {
    throw unsupported(request, 'publishes no ports of containers', 'it needs Arvados 3.2 or newer');
  }
  const { runtime_constraints: constraints, scheduling_parameters: scheduling } = rest;
  return {
    ...rest,
    ...(scheduling && { scheduling_parameters: can.ownParameters ? scheduling : withoutOwn(scheduling) }),
    ...(constraints && { runtime_constraints: toConstraints(request, constraints, can) }),
    // Without the globs the output holds more files; which of them are results is for the outputs of the tool to say.
    ...(output_glob && can.outputGlob && { output_glob }),
    ...(output_properties && can.outputProperties && { output_properties }),
    ...(output_storage_classes && can.outputStorageClasses && { output_storage_classes }),
    ...(service !== undefined && can.services && { service }),
    ...(published_ports !== undefined && can.services && { published_ports }),
  };
}

const withoutOwn = (parameters: object): object =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => !name.startsWith('hm:')));

function checkImage(request: Partial<ContainerRequest>, can: Capabilities): void {
  if (request.state !== 'Committed') return;
  if (request.container_image === builtinImage && !can.builtinRequests) {
    const image = request.command?.slice(0, 3).join(' ') ?? '';
    throw unsupported(
      request,
      `has no builtin requests: it cannot ${image}`,
      'put the image into its Keep first: cwl-runner image load ARCHIVE, or arv-keepdocker',
    );
  }
  if (request.container_image === hostImage && !can.hostRequests) {
    throw unsupported(
      request,
      'runs nothing outside a container, and the tool names no image',
      'add a DockerRequirement, or give an image for such tools with --default-container',
    );
  }
}

function toConstraints(
  request: Partial<ContainerRequest>,
  { gpu, ...rest }: RuntimeConstraints,
  can: Capabilities,
): Readonly<Record<string, unknown>> {
  if (!gpu) return rest;
  if (can.gpu === 'any') return { ...rest, gpu };
  if (gpu.stack !== 'cuda') throw unsupported(request, `has no GPUs of ${gpu.stack}`, 'it needs Arvados 3.1 or newer');
  const { device_count, driver_version, hardware_target } = gpu;
  return { ...rest, cuda: { device_count, driver_version, hardware_capability: hardware_target[0] ?? '' } };
}

const unsupported = ({ name }: Partial<ContainerRequest>, what: string, hint: string) =>
  apiError('api/unsupported', `${name ? `${name}: ` : ''}this cluster ${what}`, { hint });
