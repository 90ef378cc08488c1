import type { Container, ContainerRequest } from '../../api/records.ts';
import type { PortableDataHash, Uuid } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { insertRecord, readSome, updateRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { addSeconds } from '../store/time.ts';

const ending = ['uuid', 'state', 'output', 'log', 'output_properties', 'runtime_status'] as const;
/** What an ended container leaves to its requests. */
export type EndedContainer = Pick<Container, (typeof ending)[number]>;

const finalized = [
  'uuid',
  'name',
  'owner_uuid',
  'priority',
  'container_count',
  'container_count_max',
  'requesting_container_uuid',
  'output_name',
  'output_properties',
  'output_ttl',
] as const;
/** What its end takes of a request: the work itself is the most of a record. */
export type EndingRequest = Pick<ContainerRequest, (typeof finalized)[number]>;

export const readEnding = (store: Store, uuid: Uuid): EndingRequest =>
  readSome(store, 'container_requests', uuid, finalized);

export const readEnded = (store: Store, uuid: Uuid): EndedContainer => readSome(store, 'containers', uuid, ending);

/** Ends a request: its own records of the output and the log, its secrets gone. Inside `store.write`. */
export function finalize(store: Store, request: EndingRequest, container: EndedContainer): void {
  const output = container.output && saveOutput(store, request, container, container.output);
  const log = container.log && saveLog(store, request, container, container.log);
  updateRecord(
    store,
    'container_requests',
    request.uuid,
    { state: 'Final', output_uuid: output, log_uuid: log },
    { secret_mounts: '{}' },
  );
}

/** Properties as Arvados sets them (doc/api/properties, "Collection type values"); what the request asks for wins. */
function saveOutput(store: Store, request: EndingRequest, container: EndedContainer, content: PortableDataHash): Uuid {
  const now = store.now();
  const properties: JsonObject = {
    type: request.requesting_container_uuid === null ? 'output' : 'intermediate',
    container_request: request.uuid,
    ...container.output_properties,
    ...request.output_properties,
  };
  const expires = request.output_ttl > 0 ? addSeconds(now, request.output_ttl) : null;
  return insertRecord(store, 'collections', {
    owner_uuid: request.owner_uuid,
    name: request.output_name || `Output for ${request.name || request.uuid}`,
    properties,
    portable_data_hash: content,
    trash_at: expires,
    delete_at: expires,
  }).uuid;
}

function saveLog(store: Store, request: EndingRequest, container: EndedContainer, content: PortableDataHash): Uuid {
  return insertRecord(store, 'collections', {
    owner_uuid: request.owner_uuid,
    name: `Log for ${request.name || request.uuid}`,
    properties: { type: 'log', container_request: request.uuid, container_uuid: container.uuid },
    portable_data_hash: content,
  }).uuid;
}
