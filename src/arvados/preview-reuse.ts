import type { ClusterApi } from '../api/port.ts';
import type { Container, ContainerRequest } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import { isJsonObject, toCanonicalJson } from '../core/json.ts';

/** Work that names so many containers of one image is not looked through further. */
const maxCandidates = 2000;

/**
 * The container that the cluster would take for this request, by its documented rules (Arvados API, container_requests, "Container
 * reuse"), found by looking: stock Arvados tells only who submits. Image and amounts are compared as they are.
 */
export async function previewReuse(
  api: Pick<ClusterApi, 'list'>,
  request: Partial<ContainerRequest>,
): Promise<Uuid | undefined> {
  if (request.use_existing === false) return undefined;
  const { items } = await api.list('containers', {
    filters: [
      ['container_image', '=', request.container_image ?? ''],
      ['output_path', '=', request.output_path ?? ''],
      ['state', 'in', preferred],
    ],
    order: ['created_at', 'uuid'],
    limit: maxCandidates,
    count: 'none',
  });
  const alike = items.filter((container) => isAlike(request, container));
  alike.sort((a, b) => preferred.indexOf(a.state) - preferred.indexOf(b.state));
  for (const container of alike) {
    if (container.state !== 'Complete') return container.uuid;
    if (container.exit_code === 0 && (await hasContents(api, container))) return container.uuid;
  }
  return undefined;
}

const preferred: readonly Container['state'][] = ['Complete', 'Running', 'Locked', 'Queued'];

function isAlike(request: Partial<ContainerRequest>, container: Container): boolean {
  return (
    toCanonicalJson(request.command ?? []) === toCanonicalJson(container.command) &&
    (request.cwd ?? '.') === container.cwd &&
    toCanonicalJson(request.environment ?? {}) === toCanonicalJson(container.environment) &&
    toCanonicalJson(request.output_glob ?? []) === toCanonicalJson(container.output_glob) &&
    hasSameKeys(request.mounts ?? {}, container.mounts) &&
    isWithin(request.mounts ?? {}, container.mounts) &&
    isWithin(request.runtime_constraints ?? {}, container.runtime_constraints)
  );
}

const hasSameKeys = (a: object, b: object): boolean =>
  toCanonicalJson(Object.keys(a).sort()) === toCanonicalJson(Object.keys(b).sort());

/** The cluster adds what was left to it. */
function isWithin(asked: unknown, got: unknown): boolean {
  if (!isJsonObject(asked) || !isJsonObject(got)) return toCanonicalJson(asked) === toCanonicalJson(got);
  return Object.entries(asked).every(([name, value]) => isWithin(value, got[name]));
}

async function hasContents(api: Pick<ClusterApi, 'list'>, { output, log }: Container): Promise<boolean> {
  const contents = [...new Set([output, log])].filter((content) => content !== null);
  const { items } = await api.list('collections', {
    filters: [['portable_data_hash', 'in', contents]],
    select: ['uuid', 'portable_data_hash'],
    limit: 1000,
    count: 'none',
  });
  return contents.every((content) => items.some((item) => item.portable_data_hash === content));
}
