import type { ClusterApi } from '../api/port.ts';
import type { ContainerRequest } from '../api/records.ts';
import type { PortableDataHash, Uuid } from '../core/ids.ts';
import { findIngredient, type Ingredient } from './ingredients.ts';
import { purposeOf, runOf } from './recipe.ts';
import { listRequestsOf } from './records.ts';
import { createUsageIndex } from './usage-index.ts';

/** A result that an ingredient went into. */
export interface Effect {
  readonly collection: PortableDataHash;
  /** `image`: a built or pulled image; `result`: the output of a step. */
  readonly kind: 'image' | 'result';
  /** False when a later step used it. */
  readonly isLast: boolean;
  readonly container: Uuid;
  readonly request: Uuid;
  readonly requestName: string;
  readonly run?: Uuid;
  /** Content that led here, from the ingredient on. */
  readonly through: readonly PortableDataHash[];
}

/** Content or a container that the walk has reached. */
interface Reached {
  readonly container: Uuid;
  readonly output: PortableDataHash | null;
  readonly through: readonly PortableDataHash[];
}

/**
 * The results made with an ingredient, directly or through other steps, nearest first. It reads all finished containers:
 * a question for people, not for every run. Fails as `findIngredient` does.
 */
export async function findAffected(api: ClusterApi, ingredient: Ingredient): Promise<Effect[]> {
  const origins = await findIngredient(api, ingredient);
  const index = await createUsageIndex(api);
  const effects: Effect[] = [];
  const seen = new Set<Uuid>();
  const spread = async (content: PortableDataHash, through: readonly PortableDataHash[]): Promise<Reached[]> =>
    (await index.usersOf(content)).map(({ uuid, output }) => ({
      container: uuid,
      output,
      through: [...through, content],
    }));
  let wave: Reached[] = (await Promise.all(origins.contents.map((content) => spread(content, [])))).flat();
  for (const uuid of origins.containers) {
    wave.push({ container: uuid, output: (await api.get('containers', uuid)).output, through: [] });
  }
  while (wave.length > 0) {
    const next: Reached[] = [];
    for (const { container, output, through } of wave) {
      if (seen.has(container) || output === null) continue;
      seen.add(container);
      const users = await spread(output, through);
      effects.push(await toEffect(api, { container, output, through }, users.length === 0));
      next.push(...users);
    }
    wave = next;
  }
  return effects;
}

async function toEffect(
  api: ClusterApi,
  { container, output, through }: Reached & { readonly output: PortableDataHash },
  isLast: boolean,
): Promise<Effect> {
  const [request] = await listRequestsOf(api, container);
  return {
    collection: output,
    kind: request && isImageMaker(request) ? 'image' : 'result',
    isLast,
    container,
    request: request?.uuid ?? container,
    requestName: request?.name ?? '',
    ...(request ? runOf(request) : {}),
    through,
  };
}

function isImageMaker(request: ContainerRequest): boolean {
  const purpose = purposeOf(request);
  return purpose === 'build' || purpose === 'pull';
}

/** A line for each: `image`, `step` for an output that a later step used, `result` for one that none did. */
export function renderAffected(effects: readonly Effect[]): string {
  const lines = effects.map((effect) => {
    const run = effect.run ? `  run ${effect.run}` : '';
    const word = effect.kind === 'result' && !effect.isLast ? 'step' : effect.kind;
    return `${word.padEnd(6)}  ${effect.collection}  ${JSON.stringify(effect.requestName)} ${effect.request}${run}`;
  });
  return lines.map((line) => `${line}\n`).join('');
}
