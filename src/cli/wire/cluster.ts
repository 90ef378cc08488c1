import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openCluster } from '../../cluster/cluster.ts';
import { systemClock } from '../../core/clock.ts';
import type { Uuid } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { openDiskBlockStore } from '../../keep/disk/disk-store.ts';
import { readArvadosSettings } from '../settings/arvados-settings.ts';
import { locateHome, readConfig } from '../settings/config.ts';
import { createStderrLogger } from '../terminal/stderr-logger.ts';
import type { ClusterHandle, ReadOnlyCluster } from './handle.ts';

export interface WireOptions {
  readonly logger?: Logger;
  /** Home to use instead of the configured one. */
  readonly home?: string;
  /** For scratch instead of a folder of the home; outputs are moved into Keep where it is on the same file system. */
  readonly workDir?: string;
  /** Of a real cluster: where requests and collections are put. */
  readonly project?: Uuid;
  /** The embedded cluster, whatever is configured. */
  readonly embedded?: boolean;
}

/** Opens the configured cluster for `task` and closes it after: a real one where the settings name one, else the embedded one. */
export async function withCluster<T>(
  task: (cluster: ClusterHandle) => Promise<T>,
  options: WireOptions = {},
): Promise<T> {
  const settings = options.embedded ? undefined : readArvadosSettings(process.env);
  const home = options.home ?? readConfig(process.env).home;
  const workDir = options.workDir ?? join(home, 'work');
  const clock = systemClock();
  const logger = options.logger ?? createStderrLogger('warn');
  if (settings) {
    const { withArvados } = await import('./arvados.ts');
    return withArvados(
      settings,
      { home, workDir, clock, logger, ...(options.project && { project: options.project }) },
      task,
    );
  }
  if (options.project) logger.warn('--project-uuid: the embedded cluster has no projects');
  const api = openCluster({ path: join(home, 'cluster.sqlite'), clock });
  try {
    const blocks = await openDiskBlockStore(join(home, 'keep'), { clock });
    return await task({ home, workDir, api, blocks, clock, logger, embedded: api });
  } finally {
    api.close();
  }
}

/** The configured cluster as it is; of the embedded one the home, and where there is none, an empty one that is nowhere. */
export async function withReadOnlyCluster<T>(
  task: (cluster: ReadOnlyCluster) => Promise<T>,
  home = locateHome(process.env),
): Promise<T> {
  const { createScratchBlockStore } = await import('../../keep/disk/scratch-store.ts');
  const scratch = createScratchBlockStore(join(home, 'keep'));
  const settings = readArvadosSettings(process.env);
  if (settings) {
    const { withArvadosToLookAt } = await import('./arvados.ts');
    return withArvadosToLookAt(settings, scratch, task);
  }
  const path = join(home, 'cluster.sqlite');
  const api = openCluster(existsSync(path) ? { path, readOnly: true } : { path: ':memory:' });
  try {
    return await task({ api, blocks: scratch });
  } finally {
    api.close();
  }
}
