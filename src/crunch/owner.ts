import { existsSync, readFileSync } from 'node:fs';
import { mkdir, realpath, rename, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { toMessage } from '../core/errors.ts';
import type { Uuid } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { processStart } from '../core/process-start.ts';
import { removeTree } from '../keep/remove-tree.ts';
import { createSparePlaces, type SparePlaces } from './spare-places.ts';
import { wipe } from './wipe.ts';

/**
 * Who a scratch directory or an engine's container belongs to: one process of one boot of this machine. Survives nothing:
 * whatever carries the key of a process that is gone is left over.
 */
export const ownerKey = (): string => {
  memoKey ??= toKey(process.pid) ?? `${bootId()}.${process.pid}.0`;
  return memoKey;
};
let memoKey: string | undefined;

const keyPattern = /^([0-9a-f]{8})\.(\d+)\.(\d+)$/;

/** True while the process that `key` names runs. What is no key belongs to nobody. */
export function isOwnerAlive(key: string): boolean {
  const match = keyPattern.exec(key);
  return match !== null && toKey(Number(match[2])) === key;
}

/** The id of one run of a container for its executor: unique on the machine, also when the same container runs again. */
export const toExecutorId = (uuid: Uuid): string => `${uuid}.${ownerKey()}`;

/** The key in an executor's id. */
export const ownerOfExecutorId = (id: string): string => id.slice(id.indexOf('.') + 1);

export const scratchRoot = (workDir: string): string => join(workDir, 'scratch');

/** The directories of one run of a container; none of them is made yet, and all go when it ends. The executor's tells its name. */
export interface ContainerDirs {
  /** What the container sees lies here; a host container's whole world. */
  readonly place: string;
  readonly executor: string;
  readonly secrets: string;
  /** Where places that are still empty at the end wait for other containers. */
  readonly spares: SparePlaces;
}

export async function containerDirs(
  deps: { readonly workDir: string; readonly secretDir?: string },
  uuid: Uuid,
  executor: string,
): Promise<ContainerDirs> {
  const owner = await ownerDirectory(scratchRoot(deps.workDir));
  const place = join(owner.path, uuid);
  const inMemory = deps.secretDir === undefined ? place : join((await ownerDirectory(deps.secretDir)).path, uuid);
  return { place, executor: `${place}.${executor}`, secrets: `${inMemory}.secrets`, spares: owner.spares };
}

/** Beside a place, for what a host container must not find in its own directory. */
export const apartOf = (place: string): string => `${place}.apart`;

/** Removes them, whatever the container made of permissions. What cannot go is logged and left to `reapLeftovers`. */
export async function removeDirs({ place, executor, secrets }: ContainerDirs, logger: Logger): Promise<void> {
  if (existsSync(secrets)) await wipe(secrets);
  const present = [secrets, place, executor, apartOf(place)].filter((directory) => existsSync(directory));
  const removals = present.map(async (directory) => {
    await removeTree(directory).catch((error: unknown) =>
      logger.warn(`cannot remove ${directory}: ${toMessage(error)}`),
    );
  });
  await Promise.all(removals);
}

/** Where directories of containers lie that are left for somebody to look at. */
export const leftRoot = (workDir: string): string => join(workDir, 'left');

/** Moves them out of reach of `removeDirs` and `reapLeftovers`; secrets are left where they are. */
export async function leaveDirs(dirs: ContainerDirs, { workDir }: { readonly workDir: string }): Promise<void> {
  const root = leftRoot(workDir);
  await mkdir(root, { recursive: true, mode: 0o700 });
  for (const directory of [dirs.place, dirs.executor, apartOf(dirs.place)]) {
    if (existsSync(directory)) await rename(directory, join(root, basename(directory)));
  }
}

interface OwnerDirectory {
  readonly path: string;
  readonly spares: SparePlaces;
}

const directories = new Map<string, Promise<OwnerDirectory>>();

/** The directory of this process under `root`, made once, by its real path: what a process resolves must compare equal. */
function ownerDirectory(root: string): Promise<OwnerDirectory> {
  const known = directories.get(root) ?? makeOwnerDirectory(join(root, ownerKey()));
  directories.set(root, known);
  known.catch(() => directories.delete(root));
  return known;
}

/** At the end of this process' work: its own directory goes, unless something is left in it. */
export async function closeOwnerDirectory(root: string): Promise<void> {
  const directory = await directories.get(root)?.catch(() => undefined);
  directories.delete(root);
  if (directory === undefined) return;
  try {
    directory.spares.clear();
    await rmdir(directory.path);
  } catch {
    // Something is left in it: the next process clears it.
  }
}

async function makeOwnerDirectory(directory: string): Promise<OwnerDirectory> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = await realpath(directory);
  return { path, spares: createSparePlaces(path) };
}

function bootId(): string {
  memoBoot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  return memoBoot;
}
let memoBoot: string | undefined;

function toKey(pid: number): string | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : `${bootId()}.${pid}.${start}`;
}
