import { writeMembers } from '../cache/members.ts';
import { createDestination } from '../copy/destination.ts';
import type { LayerTrees } from '../copy/layer-tree.ts';
import { resolveOwner } from '../copy/owner.ts';
import type { MadeLayer } from './copy-step.ts';
import { layerKey } from './key.ts';
import type { BuildOptions } from './options.ts';
import type { StageState } from './state.ts';

/** The directory of a WORKDIR, made for the user of the stage where it is missing; where it is there, a layer without entries. */
export async function runWorkdir(
  path: string,
  { options, trees, state }: { options: BuildOptions; trees: LayerTrees; state: StageState },
): Promise<MadeLayer> {
  const { User: user = '' } = state.config;
  const createdBy = `WORKDIR ${path}`;
  const key = layerKey(options, state, { workdir: path, user });
  const known = await options.cache.get(key);
  if (known) return { layer: known, isCached: true, createdBy };
  const tree = await trees.merged(state.layers, options.signal);
  const plain = createDestination(tree, { clampSeconds: options.clampSeconds });
  const target = plain.resolve(path);
  if (plain.typeAt(target) === 'directory') {
    return { layer: await options.cache.put(key, writeMembers([])), isCached: false, createdBy };
  }
  const owner = user === '' ? undefined : await resolveOwner(user, tree, options.signal);
  const destination = createDestination(tree, { clampSeconds: options.clampSeconds, ...(owner && { owner }) });
  destination.makeDirectory(target);
  return { layer: await options.cache.put(key, writeMembers(destination.members())), isCached: false, createdBy };
}
