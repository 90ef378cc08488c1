import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage } from '../core/errors.ts';
import { isUuid, type Uuid } from '../core/ids.ts';
import { containerExecutors, type ExecutorName } from '../executor/port.ts';
import { removeTree } from '../keep/remove-tree.ts';
import { isOwnerAlive, ownerOfExecutorId, scratchRoot } from './owner.ts';
import type { CrunchDeps } from './port.ts';
import { wipe } from './wipe.ts';

/**
 * What a process that died leaves is cleared by the next one that starts: containers first, since they use the rest. Every
 * run of a container has a directory of its owner, so executors are asked for, and cost, only where one is left.
 */
export async function reapLeftovers(
  deps: Pick<CrunchDeps, 'api' | 'workDir' | 'secretDir' | 'logger' | 'executors' | 'defaultExecutor'>,
): Promise<void> {
  const roots = [scratchRoot(deps.workDir), ...(deps.secretDir === undefined ? [] : [deps.secretDir])];
  const dead = (await Promise.all(roots.map(findDead))).flat();
  if (dead.length > 0) for (const name of await usedExecutors(dead, deps)) await reapContainers(name, deps);
  for (const directory of dead) await removeDead(directory, deps);
  await removeSavedLogs(deps);
}

/** Those that have a directory there, and the one that anything else, a build for one, may have used. */
async function usedExecutors(dead: readonly string[], { defaultExecutor }: Pick<CrunchDeps, 'defaultExecutor'>) {
  const names = (await Promise.all(dead.map(entriesOf))).flat();
  const used = containerExecutors.filter((executor) => names.some((name) => name.endsWith(`.${executor}`)));
  return new Set([defaultExecutor, ...used]);
}

async function reapContainers(
  name: ExecutorName,
  { executors, logger }: Pick<CrunchDeps, 'executors' | 'logger'>,
): Promise<void> {
  try {
    await (await executors(name)).reap((id) => isOwnerAlive(ownerOfExecutorId(id)));
  } catch (error) {
    logger.warn(`${name} could not clear old containers: ${toMessage(error)}`);
  }
}

/** Directories named by their owner, which is gone. */
export async function findDead(root: string): Promise<string[]> {
  return (await entriesOf(root)).filter((owner) => !isOwnerAlive(owner)).map((owner) => join(root, owner));
}

/** Another process may do the same at the same time: what is gone is gone. */
async function removeDead(directory: string, { logger }: Pick<CrunchDeps, 'logger'>): Promise<void> {
  for (const name of await entriesOf(directory)) if (name.endsWith('.secrets')) await wipe(join(directory, name));
  await removeTree(directory).catch((error: unknown) => logger.warn(`cannot remove ${directory}: ${toMessage(error)}`));
}

/** A live log goes once the record names a saved one. One whose record is gone, or has none, is all that is left: it stays. */
async function removeSavedLogs({ api, workDir }: Pick<CrunchDeps, 'api' | 'workDir'>): Promise<void> {
  const logs = join(workDir, 'logs');
  for (const name of await entriesOf(logs)) {
    if (isUuid(name) && (await isSaved(api, name))) await rm(join(logs, name), { recursive: true, force: true });
  }
}

async function isSaved(api: CrunchDeps['api'], uuid: Uuid): Promise<boolean> {
  const container = await api.get('containers', uuid).catch(() => undefined);
  return container?.log != null && (container.state === 'Complete' || container.state === 'Cancelled');
}

const entriesOf = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);
