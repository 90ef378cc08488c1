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
}

/**
 * The results made with what `findIngredient` found, directly or through other steps. It reads all finished containers: a
 * question for people, not for every run.
 */
export async function findAffected(api: ClusterApi, origins: Origins): Promise<Affected> {
  const reached = await spreadFrom(api, origins);
  const requests = await listRequestsOf(api, ...reached.map(({ uuid }) => uuid));
  const byContainer = Map.groupBy(requests, (request) => request.container_uuid);
  const effects = reached.map((container) => toEffect(container, byContainer.get(container.uuid)?.[0]));
  return {
    effects,
    runs: await findAffectedRuns(api, requests, new Map(reached.map(({ uuid, output }) => [uuid, output]))),
  };
}

async function spreadFrom(api: ClusterApi, { contents, containers }: Origins): Promise<Reached[]> {
  const index = await createUsageIndex(api);
  let shared: SharedRuns | undefined;
  const reached = new Map<Uuid, Reached>();
  const users = async (content: PortableDataHash, through: readonly PortableDataHash[]): Promise<Reached[]> =>
    (await index.usersOf(content)).map((use) => ({ ...use, through: [...through, content] }));
  let wave: Reached[] = (await Promise.all(contents.map((content) => users(content, [])))).flat();
  for (const uuid of containers) wave.push({ ...(await api.get('containers', uuid)), through: [] });
  while (wave.length > 0) {
    const next: Reached[] = [];
    for (const container of wave) {
      if (reached.has(container.uuid) || container.output === null) continue;
      reached.set(container.uuid, container);
      const makers = index.makersOf(container.output);
      const later = await users(container.output, container.through);
      if (makers.size > 1) shared ??= await readSharedRuns(api);
      next.push(...later.filter((use) => makers.size <= 1 || shared?.mayHaveGot(use.uuid, container.uuid, makers)));
    }
    wave = next;
  }
  return [...reached.values()];
}

function toEffect({ uuid, output, through }: Reached, request: ContainerRequest | undefined): Effect {
  const purpose = request && purposeOf(request);
  return {
    collection: output as PortableDataHash,
    kind: purpose === 'build' || purpose === 'pull' ? 'image' : 'step',
    container: uuid,
    request: request?.uuid ?? uuid,
    requestName: request?.name ?? '',
    through,
  };
}
