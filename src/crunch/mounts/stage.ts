import { mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Mount } from '../../api/records.ts';
import type { Collection } from '../../keep/collection.ts';
import { crunchError } from '../errors.ts';
import { isInside, relativeTo, toContainerPath } from '../paths.ts';
import type { CollectionReader, TreeCache } from '../port.ts';
import { copyWritable, placeTree } from './copy-tree.ts';
import { checkoutGitTree } from './git-tree.ts';
import type { Origin } from './origin.ts';
import type { Place } from './places.ts';
import { literalContent, type MountPlan, type PlannedMount, pathInCollection } from './plan.ts';

export interface StageDeps {
  readonly collections: CollectionReader;
  readonly trees: TreeCache;
}

/** Makes the mounts of `plan` real in `place`, parents first. */
export async function stageMounts(plan: MountPlan, place: Place, deps: StageDeps, signal: AbortSignal): Promise<void> {
  for (const planned of plan.mounts) {
    signal.throwIfAborted();
    place.origins.add(planned.target, await stageMount(planned, place, deps, signal));
  }
}

async function stageMount(planned: PlannedMount, place: Place, deps: StageDeps, signal: AbortSignal): Promise<Origin> {
  const { mount, target } = planned;
  switch (mount.kind) {
    case 'tmp':
      await place.directory(target);
      return { kind: 'scratch' };
    case 'text':
    case 'json':
      if (planned.secret) {
        await place.secret(target, literalContent(mount));
        return { kind: 'hidden' };
      }
      return { kind: 'literal', hostPath: await place.file(target, place.literal(literalContent(mount))) };
    case 'git_tree':
      await place.readOnly(target, await checkoutGitTree(mount, await place.scratchDirectory(), signal), planned);
      return { kind: 'hidden' };
    case 'collection':
      return stageCollection(planned, mount, place, deps, signal);
    case 'file':
      throw crunchError('crunch/bad-mount', `mount ${target}: kind "file" is for stdin, stdout and stderr only`);
  }
}

async function stageCollection(
  planned: PlannedMount,
  mount: Mount & { kind: 'collection' },
  place: Place,
  deps: StageDeps,
  signal: AbortSignal,
): Promise<Origin> {
  const { target } = planned;
  const collection = await openCollection(mount, deps.collections);
  if (collection === undefined) {
    await place.directory(target);
    return { kind: 'scratch' };
  }
  const path = pathInCollection(mount);
  const source = await deps.trees.checkout(collection, path, signal);
  if (mount.writable || target === place.outputPath) {
    await placeTree(source, await place.writable(target), copyWritable);
    return { kind: 'scratch' };
  }
  await place.readOnly(target, source, planned);
  return { kind: 'collection', collection, path, excluded: mount.exclude_from_output ?? false };
}

/** The collection that a mount names; without a name a new, empty one. */
export async function openCollection(
  mount: Mount & { kind: 'collection' },
  collections: CollectionReader,
): Promise<Collection | undefined> {
  if (mount.portable_data_hash) return collections.byPortableDataHash(mount.portable_data_hash);
  if (mount.uuid) return collections.byUuid(mount.uuid);
  return undefined;
}

/** The file of the host that is the container's stdin. */
export async function stageStdin(
  plan: MountPlan,
  place: Place,
  deps: StageDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { stdin } = plan;
  switch (stdin?.kind) {
    case undefined:
    case 'tmp':
    case 'git_tree':
      return undefined;
    case 'file':
      return stdinInside(plan, stdin.path, place);
    case 'text':
    case 'json': {
      const path = join(await place.scratchDirectory(), 'stdin');
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, place.literal(literalContent(stdin)), { mode: 0o600 });
      return path;
    }
    case 'collection': {
      const collection = await openCollection(stdin, deps.collections);
      const path = pathInCollection(stdin);
      if (collection?.files.has(path)) return deps.trees.checkout(collection, path, signal);
      throw crunchError('crunch/bad-mount', `stdin: expected a file of the collection, got ${JSON.stringify(path)}`, {
        hint: 'give the path of a file in the mount',
        where: { field: 'mounts' },
      });
    }
  }
}

/** No link is followed: one of a commit, for example, may lead to a file of this machine. */
async function stdinInside(plan: MountPlan, path: string, place: Place): Promise<string> {
  const clean = toContainerPath(path);
  const mount = plan.mounts.findLast(({ target }) => isInside(clean, target));
  const [folder, file] = [mount && place.hostPath(mount.target), place.hostPath(clean)];
  if (mount && folder !== undefined && file !== undefined) {
    const unlinked = join(await realpath(folder).catch(() => folder), relativeTo(clean, mount.target));
    if ((await realpath(file).catch(() => undefined)) === unlinked && (await stat(unlinked)).isFile()) {
      return file;
    }
  }
  throw crunchError('crunch/bad-mount', `stdin: expected a file inside another mount, got ${JSON.stringify(path)}`, {
    hint: 'give the path of a file, not of a link, that the container sees by one of its mounts',
    where: { field: 'mounts' },
  });
}
