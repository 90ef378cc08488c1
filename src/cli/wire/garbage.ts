import { join } from 'node:path';
import type { CollectionRecord } from '../../api/records.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { forgetCollections, isBlockNamed } from '../../cluster/collections.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { layerKeyProperty } from '../../crunch/images/layer-cache.ts';
import { sifProperty } from '../../crunch/images/sif-store.ts';
import { scratchRoot } from '../../crunch/owner.ts';
import { findDead, reapLeftovers } from '../../crunch/reap.ts';
import { findOrphaned } from '../../executor/process/owned.ts';
import { createGround } from '../../executor/sandbox/ground.ts';
import { removeTree as removeInNamespace } from '../../executor/sandbox/remove.ts';
import { unusedBefore } from '../../keep/disk/claims.ts';
import { collectBlocks, isBlockUnused } from '../../keep/disk/collect-blocks.ts';
import { bytesOf, type CollectOptions, collectEntries, type Freed } from '../../keep/disk/collect-entries.ts';
import { toLayout } from '../../keep/disk/layout.ts';
import { otherWritersSince } from '../../keep/disk/writers.ts';
import { blockMd5 } from '../../keep/locator.ts';
import { parseManifest } from '../../keep/manifest.ts';
import { removeTree } from '../../keep/remove-tree.ts';
import { createCrunchDeps } from './engine.ts';
import type { ClusterHandle } from './handle.ts';

export interface GarbageOptions {
  readonly unusedForMs: number;
  /** Also blocks that no collection names. */
  readonly blocks: boolean;
  readonly dryRun: boolean;
}

export interface FreedKind extends Freed {
  readonly kind: string;
}

type EmbeddedHandle = ClusterHandle & { readonly embedded: Cluster };
type Remove = (path: string) => Promise<void>;

/** Folders of the home whose entries can be made again, by kind. */
const caches: Readonly<Record<string, readonly string[]>> = {
  'unpacked images': ['sandbox/layers', 'sandbox/images', 'sandbox/single/layers', 'sandbox/single/images'],
  'laid out collections': ['keep/trees'],
  'cache mounts of builds': ['build-cache'],
  'apptainer images': ['apptainer'],
  'package lists': ['packages'],
  'pulls that were interrupted': ['pulls/blobs/sha256', 'pulls/partial'],
  'scratch left on request': ['work/left'],
};

/** Removes, or only counts, what nobody has used for a while and what can be made again: one row for each kind. */
export async function collectGarbage(cluster: EmbeddedHandle, options: GarbageOptions): Promise<FreedKind[]> {
  const layout = toLayout(cluster.blocks.directory);
  const cutoffMs = unusedBefore(Date.now(), options.unusedForMs, await otherWritersSince(layout.tmp));
  const what = { layout, cutoffMs, dryRun: options.dryRun };
  const remove = createRemove(cluster);
  const freed: FreedKind[] = [{ kind: 'left by killed runs', ...(await collectLeftovers(cluster, options, remove)) }];
  for (const [kind, folders] of Object.entries(caches)) {
    let [count, bytes] = [0, 0];
    for (const folder of folders) {
      const one = await collectEntries(join(cluster.home, folder), what, remove);
      count += one.count;
      bytes += one.bytes;
    }
    freed.push({ kind, count, bytes });
  }
  return [...freed, ...(await collectKeep(cluster, what, options.blocks))];
}

/** Extracted layers, and what containers wrote, may hold files of other ids: those are for the sandbox to remove. */
function createRemove({ home, blocks }: ClusterHandle): Remove {
  const ground = createGround({ home: join(home, 'sandbox'), claim: blocks.claim });
  return (path) =>
    removeTree(path).catch(async () => removeInNamespace(path, (await (await ground()).namespace()).enter));
}

/** What the next run would clear anyway. */
async function collectLeftovers(cluster: EmbeddedHandle, { dryRun }: GarbageOptions, remove: Remove): Promise<Freed> {
  const folders = [...(caches['unpacked images'] ?? []), 'sandbox/builds', 'sandbox/single/builds', 'apptainer'];
  const orphans = (await Promise.all(folders.map((folder) => findOrphaned(join(cluster.home, folder))))).flat();
  const scratch = await findDead(scratchRoot(cluster.workDir));
  const all = [...orphans, ...scratch];
  const freed = { count: all.length, bytes: all.reduce((sum, path) => sum + bytesOf(path), 0) };
  if (dryRun) return freed;
  await reapLeftovers(createCrunchDeps(cluster, { executor: 'sandbox', builder: 'hallmark' }));
  for (const path of orphans) await remove(path);
  return freed;
}

/** In Keep: layers that builds made and SIFs, which both can be made again, and, if asked, whatever no collection names. */
async function collectKeep(cluster: EmbeddedHandle, what: CollectOptions, isAll: boolean): Promise<FreedKind[]> {
  const { store } = cluster.embedded;
  const unused = await listUnusedCached(cluster.embedded, what);
  const except = new Set(unused.map(({ uuid }) => uuid));
  const ofCached = new Set(unused.flatMap(md5sOf).filter((md5) => !isBlockNamed(store, md5, except)));
  // A layer whose blocks an image names as well takes no room.
  const cached = unused.filter((one) => md5sOf(one).some((md5) => ofCached.has(md5)));
  if (!what.dryRun && cached.length > 0)
    forgetCollections(
      store,
      cached.map(({ uuid }) => uuid),
    );
  const collect = (isGarbage: (md5: string) => boolean) =>
    collectBlocks({ ...what, isGarbage, newTemporaryPath: cluster.blocks.newTemporaryPath });
  const { bytes } = await collect((md5) => ofCached.has(md5));
  const freed = [{ kind: 'layers of builds and SIFs in Keep', count: cached.length, bytes }];
  if (!isAll) return freed;
  const none = new Set<string>();
  const others = await collect((md5) => !ofCached.has(md5) && !isBlockNamed(store, md5, none));
  const damaged = await collectEntries(what.layout.damaged, what);
  return [...freed, { kind: 'blocks without a collection', ...others }, { kind: 'damaged blocks', ...damaged }];
}

type Cached = Pick<CollectionRecord, 'uuid' | 'manifest_text'>;

/** Those of which no block was used: reading one is a use. */
async function listUnusedCached(cluster: Cluster, { layout, cutoffMs }: CollectOptions): Promise<Cached[]> {
  const unused: Cached[] = [];
  for (const property of [layerKeyProperty, sifProperty]) {
    const filters = [['properties', 'exists', property]] as const;
    const { items } = await cluster.list('collections', { filters, select: ['uuid', 'manifest_text'], limit: 1e9 });
    for (const record of items) {
      const looked = await Promise.all(locatorsOf(record).map((locator) => isBlockUnused(layout, locator, cutoffMs)));
      if (looked.every(Boolean)) unused.push(record);
    }
  }
  return unused;
}

const locatorsOf = ({ manifest_text }: Cached): BlockLocator[] =>
  [...parseManifest(manifest_text).files.values()].flatMap(({ segments }) => segments.map(({ locator }) => locator));

const md5sOf = (record: Cached): string[] => locatorsOf(record).map(blockMd5);
