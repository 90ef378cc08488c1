import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage } from '../core/errors.ts';
import { isUuid, type Uuid } from '../core/ids.ts';
import type { Executor } from '../executor/port.ts';
import { isOwnerAlive, ownerOfExecutorId, scratchRoot } from './owner.ts';
import type { CrunchDeps } from './port.ts';
import { removeTree, wipe } from './remove-tree.ts';

/**
 * What a process that died leaves is cleared by the next one that starts: containers first, since they use the rest. Every
 * run of a container has a directory of its owner, so `executors` is asked for, and costs, only where one is left.
 */
export async function reapLeftovers(
  deps: Pick<CrunchDeps, 'api' | 'workDir' | 'secretDir' | 'logger'>,
  executors: () => Promise<readonly Executor[]>,
): Promise<void> {
  const roots = [scratchRoot(deps.workDir), ...(deps.secretDir === undefined ? [] : [deps.secretDir])];
  const dead = (await Promise.all(roots.map(findDead))).flat();
  if (dead.length > 0) await reapContainers(await executors(), deps);
  for (const directory of dead) await removeDead(directory, deps);
  await removeSavedLogs(deps);
}

async function reapContainers(executors: readonly Executor[], { logger }: Pick<CrunchDeps, 'logger'>): Promise<void> {
  for (const executor of executors) {
    await executor
      .reap((id) => isOwnerAlive(ownerOfExecutorId(id)))
      .catch((error: unknown) => logger.warn(`${executor.name} could not clear old containers: ${toMessage(error)}`));
  }
}

/** Directories named by their owner, which is gone. */
async function findDead(root: string): Promise<string[]> {
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
