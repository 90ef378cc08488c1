import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage } from '../core/errors.ts';
import { isUuid, type Uuid } from '../core/ids.ts';
import type { Executor } from '../executor/port.ts';
import { isOwnerAlive, ownerOfExecutorId, scratchRoot } from './owner.ts';
import type { CrunchDeps } from './port.ts';
import { removeTree, wipe } from './remove-tree.ts';

/** What a process that died leaves is cleared by the next one that starts: containers first, since they use the rest. */
export async function reapLeftovers(
  deps: Pick<CrunchDeps, 'api' | 'workDir' | 'secretDir' | 'logger'>,
  executors: readonly Executor[],
): Promise<void> {
  for (const executor of executors) {
    await executor
      .reap((id) => isOwnerAlive(ownerOfExecutorId(id)))
      .catch((error: unknown) =>
        deps.logger.warn(`${executor.name} could not clear old containers: ${toMessage(error)}`),
      );
  }
  await removeDead(scratchRoot(deps.workDir), deps);
  if (deps.secretDir !== undefined) await removeDead(deps.secretDir, deps);
  await removeSavedLogs(deps);
}

/** Directories named by their owner. Another process may do the same at the same time: what is gone is gone. */
async function removeDead(root: string, { logger }: Pick<CrunchDeps, 'logger'>): Promise<void> {
  for (const owner of await entriesOf(root)) {
    if (isOwnerAlive(owner)) continue;
    const directory = join(root, owner);
    for (const name of await entriesOf(directory)) if (name.endsWith('.secrets')) await wipe(join(directory, name));
    await removeTree(directory).catch((error: unknown) =>
      logger.warn(`cannot remove ${directory}: ${toMessage(error)}`),
    );
  }
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
