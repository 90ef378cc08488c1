import type { Container, ContainerRequest } from '../../api/records.ts';
import type { FieldDifference, ReuseExplanation, RunReason } from '../../api/reuse.ts';
import type { Uuid } from '../../core/ids.ts';
import { isJsonObject, toCanonicalJson } from '../../core/json.ts';
import { show } from '../store/attributes.ts';
import type { Row } from '../store/database.ts';
import { readRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { toReuseKey, toWorkIdentity, type WorkIdentity } from './work.ts';

/** Compares the work of the request's container with that of the earlier ones that it could have been. */
export function explainReuse(store: Store, uuid: Uuid): ReuseExplanation {
  const request = readRecord(store, 'container_requests', uuid);
  if (request.container_uuid === null) return { kind: 'undecided' };
  const container = request.container_uuid;
  if (isMadeForAnother(store, request)) return { kind: 'reused', container };
  return { kind: 'ran', container, because: reasonToRun(store, request, container) };
}

/** A container comes right before the request that it was made for: an earlier one was there already. */
function isMadeForAnother(store: Store, request: ContainerRequest): boolean {
  const first = store.db.get(
    'SELECT uuid FROM container_requests WHERE container_uuid = ? ORDER BY id LIMIT 1',
    request.container_uuid,
  );
  return first?.uuid !== request.uuid;
}

function reasonToRun(store: Store, request: ContainerRequest, own: Uuid): RunReason {
  if (!request.use_existing) return { reason: 'reuse-disabled' };
  const identity = identityOf(store, own);
  const earlier = earlierContainers(store, request, own).map((uuid) => {
    const fields = differences(identityOf(store, uuid), identity);
    return { uuid, fields };
  });
  const [nearest] = earlier.sort((a, b) => a.fields.length - b.fields.length);
  if (nearest === undefined) return { reason: 'first-time' };
  if (nearest.fields.length > 0) return { reason: 'differs', earlier: nearest.uuid, fields: nearest.fields };
  return { reason: unusable(readRecord(store, 'containers', nearest.uuid)), earlier: nearest.uuid };
}

const unusable = (container: Container) =>
  container.state === 'Complete' && container.exit_code === 0 ? 'earlier-output-gone' : 'earlier-failed';

/** Those of earlier requests with the same name, the newest first: a step keeps its name from run to run. */
function earlierContainers(store: Store, request: ContainerRequest, own: Uuid): Uuid[] {
  const rows = store.db.all(
    `SELECT DISTINCT c.uuid, c.id FROM container_requests r JOIN containers c ON c.uuid = r.container_uuid
     WHERE r.name = ? AND c.id < (SELECT id FROM containers WHERE uuid = ?) ORDER BY c.id DESC LIMIT ${candidates}`,
    request.name,
    own,
  );
  return rows.map((row: Row) => row.uuid as Uuid);
}

/** A scatter gives many containers one name: as many of them as a comparison of milliseconds allows. */
const candidates = 200;

function identityOf(store: Store, uuid: Uuid): WorkIdentity {
  const container = readRecord(store, 'containers', uuid);
  const row = store.db.get('SELECT secret_mounts_key FROM containers WHERE uuid = ?', uuid);
  return toWorkIdentity(store, container, String(row?.secret_mounts_key ?? ''));
}

function differences(before: WorkIdentity, now: WorkIdentity): FieldDifference[] {
  if (toReuseKey(before) === toReuseKey(now)) return [];
  const fields = Object.keys(now) as (keyof WorkIdentity)[];
  return fields.flatMap((field) => fieldDifferences(publicName(field), before[field], now[field]));
}

const publicName = (field: keyof WorkIdentity) => (field === 'network' ? 'runtime_constraints.API' : field);

function fieldDifferences(field: string, before: unknown, now: unknown): FieldDifference[] {
  if (toCanonicalJson(before) === toCanonicalJson(now)) return [];
  if (field === 'secret_mounts') return [{ field }];
  if (!isJsonObject(before) || !isJsonObject(now)) return [{ field, before: show(before), now: show(now) }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.flatMap((name) => {
    if (toCanonicalJson(before[name]) === toCanonicalJson(now[name])) return [];
    const difference: FieldDifference = {
      field: `${field}.${name}`,
      ...(name in before ? { before: show(before[name]) } : {}),
      ...(name in now ? { now: show(now[name]) } : {}),
    };
    return [difference];
  });
}
