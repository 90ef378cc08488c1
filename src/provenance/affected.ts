import type { ClusterApi } from '../api/port.ts';
import type { ContainerRequest } from '../api/records.ts';
import type { PortableDataHash, Uuid } from '../core/ids.ts';
import { type AffectedRun, findAffectedRuns } from './affected-runs.ts';
import type { Origins } from './ingredients.ts';
import { purposeOf } from './recipe.ts';
import { listRequestsOf } from './records.ts';
import { readSharedRuns, type SharedRuns } from './shared-runs.ts';
import { createUsageIndex, type Use } from './usage-index.ts';

/** What an ingredient went into. */
export interface Affected {
  /** Images and outputs of steps, nearest first. */
  readonly effects: readonly Effect[];
  /** The runs whose outputs these are, newest first. */
  readonly runs: readonly AffectedRun[];
}

/** Content made with the ingredient. */
export interface Effect {
  readonly collection: PortableDataHash;
  /** `image`: a built or pulled image; `step`: the output of a step. */
  readonly kind: 'image' | 'step';
  readonly container: Uuid;
  readonly request: Uuid;
  readonly requestName: string;
  /** Content that led here, from the ingredient on. */
  readonly through: readonly PortableDataHash[];
}

/** A finished container that the walk has reached. */
interface Reached extends Use {
  readonly through: readonly PortableDataHash[];
  /** RFC 3339: when the youngest of the containers that led here was created, at the earliest. */
  readonly since: string;
}

type Before = Pick<Reached, 'through' | 'since' | 'created_at'>;

/**
 * The results made with what `findIngredient` found, directly or through other steps. It reads all finished containers: a
 * question for people, not for every run.
 */
export async function findAffected(api: ClusterApi, origins: Origins): Promise<Affected> {
  const reached = await spreadFrom(api, origins);
  const all = await listRequestsOf(api, ...reached.map(({ uuid }) => uuid));
  const byUuid = new Map<string | null, Reached>(reached.map((container) => [container.uuid, container]));
  const requests = all.filter((request) => mayBeAffected(request, byUuid.get(request.container_uuid)));
  const byContainer = Map.groupBy(requests, (request) => request.container_uuid);
  const effects = reached.flatMap((container) => {
    const [request] = byContainer.get(container.uuid) ?? [];
    return request ? [toEffect(container, request)] : [];
  });
  return {
    effects,
    runs: await findAffectedRuns(api, requests, new Map(reached.map(({ uuid, output }) => [uuid, output]))),
  };
}

/** A request that was there before what led to its container was cannot have got it: it shares the container by reuse alone. */
function mayBeAffected(request: ContainerRequest, container: Reached | undefined): boolean {
  if (!container) return false;
  return container.since <= container.created_at || request.created_at >= container.since;
}

async function spreadFrom(api: ClusterApi, { contents, containers }: Origins): Promise<Reached[]> {
  const index = await createUsageIndex(api);
  let shared: SharedRuns | undefined;
  const reached = new Map<Uuid, Reached>();
  const users = async (content: PortableDataHash, before: Before): Promise<Reached[]> =>
    (await index.usersOf(content)).map((use) => ({
      ...use,
      through: [...before.through, content],
      // Who had the only one that there is was there after it, whatever the clocks say.
      since:
        index.makersOf(content).size <= 1 && use.created_at < before.created_at
          ? use.created_at
          : later(use.created_at, before.since),
    }));
  const start = { through: [], since: '', created_at: '' };
  let wave: Reached[] = (await Promise.all(contents.map((content) => users(content, start)))).flat();
  for (const uuid of containers) {
    const container = await api.get('containers', uuid);
    wave.push({ ...container, through: [], since: container.created_at });
  }
  while (wave.length > 0) {
    const next: Reached[] = [];
    for (const container of wave) {
      const earlier = reached.get(container.uuid);
      if ((earlier && earlier.since <= container.since) || container.output === null) continue;
      reached.set(container.uuid, { ...container, through: earlier?.through ?? container.through });
      const makers = index.makersOf(container.output);
      const later = await users(container.output, container);
      if (makers.size > 1) shared ??= await readSharedRuns(api);
      next.push(...later.filter((use) => makers.size <= 1 || shared?.mayHaveGot(use.uuid, container.uuid, makers)));
    }
    wave = next;
  }
  return [...reached.values()];
}

function toEffect({ uuid, output, through }: Reached, request: ContainerRequest): Effect {
  const purpose = purposeOf(request);
  return {
    collection: output as PortableDataHash,
    kind: purpose === 'build' || purpose === 'pull' ? 'image' : 'step',
    container: uuid,
    request: request.uuid,
    requestName: request.name,
    through,
  };
}

/** Of two RFC 3339 times of one cluster, which are of one width. */
function later(one: string, other: string): string {
  if (one < other) return other;
  return one;
}
