import type { ClusterApi } from '../api/port.ts';
import type { Container } from '../api/records.ts';
import { isPortableDataHash, type PortableDataHash, type Uuid } from '../core/ids.ts';
import type { Collection } from '../keep/collection.ts';
import { blockMd5, emptyBlockLocator } from '../keep/locator.ts';
import { inputsOf, isEmptyCollection, listAll, readCollection } from './records.ts';

/** A finished container, as far as it tells what it used and made. */
export type Use = Pick<Container, 'uuid' | 'container_image' | 'mounts' | 'output' | 'created_at'>;

/** Which finished containers used which content, as image, input, base or build context. */
export interface UsageIndex {
  /** Containers that used this content, or a collection put together with some of its files. */
  usersOf(content: PortableDataHash): Promise<readonly Use[]>;
  /** Containers with exactly this output. */
  makersOf(content: PortableDataHash): ReadonlySet<Uuid>;
}

/**
 * Reads every finished container once: no cluster answers "who mounted this" by itself. Collections that were put together
 * from outputs, and so are no container's output themselves, are joined to these by the blocks they share. Images are never put together
 * so: one shares its layers with its base without being made from what was built on that.
 */
export async function createUsageIndex(api: ClusterApi): Promise<UsageIndex> {
  const containers: readonly Use[] = await listAll(api, 'containers', {
    filters: [['state', '=', 'Complete']],
    select: ['uuid', 'container_image', 'mounts', 'output', 'created_at'],
  });
  const users = new Map<PortableDataHash, Use[]>();
  const inputs = new Set(containers.flatMap((container) => [...stagedIn(container)]));
  for (const container of containers) {
    for (const content of contentsOf(container)) addTo(users, content, container);
  }
  const makers = new Map<PortableDataHash, Set<Uuid>>();
  for (const { uuid, output } of containers) {
    if (output !== null) makers.set(output, (makers.get(output) ?? new Set()).add(uuid));
  }
  const stagedByBlock = await indexBlocks(
    api,
    [...inputs].filter((content) => !makers.has(content)),
  );
  return {
    makersOf: (content) => makers.get(content) ?? new Set(),
    usersOf: async (content) => {
      if (isEmptyCollection(content)) return [];
      const direct = users.get(content) ?? [];
      const collection = stagedByBlock.size > 0 ? await readCollection(api, content) : undefined;
      const staged = new Set([...blocksOf(collection)].flatMap((md5) => stagedByBlock.get(md5) ?? []));
      staged.delete(content);
      return [...new Set([...direct, ...[...staged].flatMap((id) => users.get(id) ?? [])])];
    },
  };
}

function contentsOf(container: Use): Set<PortableDataHash> {
  const contents = new Set(inputsOf(container).keys());
  if (isPortableDataHash(container.container_image)) contents.add(container.container_image);
  return contents;
}

/** The inputs of a container but for images: those that builds have as bases. */
function stagedIn(container: Use): Iterable<PortableDataHash> {
  const inputs = inputsOf(container);
  return [...inputs].filter(([, targets]) => !targets.some((target) => target.startsWith('/FROM/'))).map(([id]) => id);
}

async function indexBlocks(
  api: ClusterApi,
  contents: readonly PortableDataHash[],
): Promise<Map<string, PortableDataHash[]>> {
  const index = new Map<string, PortableDataHash[]>();
  for (const content of contents) {
    for (const md5 of blocksOf(await readCollection(api, content))) addTo(index, md5, content);
  }
  return index;
}

function addTo<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

function blocksOf(collection: Collection | undefined): Set<string> {
  const blocks = new Set<string>();
  for (const file of collection?.files.values() ?? []) {
    for (const { locator } of file.segments) blocks.add(blockMd5(locator));
  }
  blocks.delete(blockMd5(emptyBlockLocator));
  return blocks;
}
