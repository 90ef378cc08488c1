import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, openCluster } from '../../cluster/cluster.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { type DiskBlockStore, openDiskBlockStore } from '../../keep/disk/disk-store.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import { locateHome, readConfig } from '../config.ts';
import { createStderrLogger } from '../stderr-logger.ts';

/** The records, blocks and scratch space of the home. */
export interface ClusterHandle {
  readonly home: string;
  readonly workDir: string;
  readonly api: Cluster;
  readonly blocks: DiskBlockStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WireOptions {
  readonly logger?: Logger;
  /** Home to use instead of the configured one. */
  readonly home?: string;
  /** For scratch instead of a folder of the home; outputs are moved into Keep where it is on the same file system. */
  readonly workDir?: string;
}

/** Opens the embedded cluster for `task` and closes it after. */
export async function withCluster<T>(
  task: (cluster: ClusterHandle) => Promise<T>,
  options: WireOptions = {},
): Promise<T> {
  const home = options.home ?? readConfig(process.env).home;
  const clock = systemClock();
  const api = openCluster({ path: join(home, 'cluster.sqlite'), clock });
  try {
    const blocks = await openDiskBlockStore(join(home, 'keep'), { clock });
    const handle = {
      home,
      workDir: options.workDir ?? join(home, 'work'),
      api,
      blocks,
      clock,
      logger: options.logger ?? createStderrLogger('warn'),
    };
    return await task(handle);
  } finally {
    api.close();
  }
}

/** The home as it is, for looking only: where there is none, an empty one that is nowhere. */
export async function withReadOnlyCluster<T>(
  task: (cluster: { readonly api: Cluster; readonly blocks: LocalBlockStore }) => Promise<T>,
  home = locateHome(process.env),
): Promise<T> {
  const { createScratchBlockStore } = await import('../../keep/disk/scratch-store.ts');
  const path = join(home, 'cluster.sqlite');
  const api = openCluster(existsSync(path) ? { path, readOnly: true } : { path: ':memory:' });
  try {
    return await task({ api, blocks: createScratchBlockStore(join(home, 'keep')) });
  } finally {
    api.close();
  }
}
