import { createHash } from 'node:crypto';
import type { Container, ContainerRequest } from '../../api/records.ts';
import type { PortableDataHash, Uuid } from '../../core/ids.ts';
import { uuidInfix } from '../../core/ids.ts';
import { isJsonObject, type JsonObject, toCanonicalJson } from '../../core/json.ts';

/**
 * A pull or build that this machine does for a cluster is kept there as a request that is never committed, with the container that there
 * is not in its properties: `hm:container`. `hm:output` and `hm:workKey` are what it is found by.
 */
export const containerProperty = 'hm:container';
export const outputProperty = 'hm:output';
export const workKeyProperty = 'hm:workKey';

/** What a container has that its request has not. */
const ownFields = [
  ...['state', 'started_at', 'finished_at', 'exit_code', 'output', 'log', 'output_properties', 'runtime_status'],
] as const;

/** The same for requests that ask for the same work; none where secrets take part. */
export function toWorkKey({
  command,
  environment,
  mounts,
  secret_mounts,
}: Partial<ContainerRequest>): string | undefined {
  if (Object.keys(secret_mounts ?? {}).length > 0) return undefined;
  const work = { command, environment: environment ?? {}, mounts: mounts ?? {} };
  return createHash('sha256').update(toCanonicalJson(work)).digest('hex');
}

const swap = (uuid: Uuid, infix: string): Uuid => `${uuid.slice(0, 5)}-${infix}-${uuid.slice(12)}` as Uuid;

/** Their names differ in their kind alone. */
export const toContainerUuid = (request: Uuid): Uuid => swap(request, uuidInfix.container);
export const toRequestUuid = (container: Uuid): Uuid => swap(container, uuidInfix.container_request);

export const isOurs = ({ properties }: ContainerRequest): boolean => isJsonObject(properties?.[containerProperty]);

/** The container of such a request. */
export function toContainer(request: ContainerRequest): Container {
  const { uuid, owner_uuid, created_at, modified_at, priority } = request;
  const { command, container_image, cwd, environment, mounts, output_path, output_glob } = request;
  const kept = request.properties[containerProperty] as unknown as Partial<Container>;
  return {
    ...{ uuid: toContainerUuid(uuid), owner_uuid, created_at, modified_at, priority },
    ...{ command, container_image, cwd, environment, mounts, output_path, output_glob },
    runtime_constraints: request.runtime_constraints,
    scheduling_parameters: request.scheduling_parameters,
    ...{ state: 'Locked', locked_by_uuid: null, lock_count: 1, progress: null },
    ...{ started_at: null, finished_at: null, exit_code: null, output: null, log: null },
    ...{ output_properties: {}, runtime_status: {} },
    ...kept,
  };
}

/** As the cluster would show it, had it run the container. */
export function toShownRequest(request: ContainerRequest): ContainerRequest {
  if (!isOurs(request)) return request;
  const { state } = toContainer(request);
  const hasEnded = state === 'Complete' || state === 'Cancelled';
  return {
    ...request,
    state: hasEnded ? 'Final' : 'Committed',
    container_uuid: toContainerUuid(request.uuid),
    container_count: 1,
  };
}

/** What of the container goes into the properties of its request. */
export function toProperties(container: Partial<Container>, key: string | undefined): JsonObject {
  const kept = Object.fromEntries(
    Object.entries(container).filter(([name]) => (ownFields as readonly string[]).includes(name)),
  );
  const output = container.state === 'Complete' && container.exit_code === 0 ? container.output : null;
  return {
    [containerProperty]: kept as JsonObject,
    ...(key !== undefined && { [workKeyProperty]: key }),
    ...(output && { [outputProperty]: output as PortableDataHash }),
  };
}
