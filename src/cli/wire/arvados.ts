import { join } from 'node:path';
import { createLocalKeep } from '../../arvados/keep/local-keep.ts';
import { openArvados } from '../../arvados/open.ts';
import type { ArvadosSettings } from '../../arvados/settings.ts';
import { openDiskBlockStore } from '../../keep/disk/disk-store.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import { createStderrLogger } from '../stderr-logger.ts';
import type { ClusterHandle, ReadOnlyCluster } from './handle.ts';

type OfThisMachine = Pick<ClusterHandle, 'home' | 'workDir' | 'clock' | 'logger'>;

/** Opens a real cluster for `task`. Its blocks stay in the home too, beside those of the embedded cluster: they are the same. */
export async function withArvados<T>(
  settings: ArvadosSettings,
  { home, workDir, clock, logger }: OfThisMachine,
  task: (cluster: ClusterHandle) => Promise<T>,
): Promise<T> {
  const api = await openArvados(settings, { logger });
  try {
    const disk = await openDiskBlockStore(join(home, 'keep'), { clock });
    const blocks = createLocalKeep({ disk, remote: api.blocks, logger });
    const apiEnvironment: ClusterHandle['apiEnvironment'] = async (container) => ({
      ARVADOS_API_HOST: new URL(settings.url).host,
      ARVADOS_API_TOKEN: await api.containerToken(container),
      ...(settings.insecure && { ARVADOS_API_HOST_INSECURE: '1' }),
    });
    return await task({ home, workDir, api, blocks, clock, logger, apiEnvironment });
  } finally {
    api.close();
  }
}

/** A real cluster to look at: what the scratch store lacks is read from it, nothing is sent. */
export async function withArvadosToLookAt<T>(
  settings: ArvadosSettings,
  scratch: LocalBlockStore,
  task: (cluster: ReadOnlyCluster) => Promise<T>,
): Promise<T> {
  const api = await openArvados(settings, { logger: createStderrLogger('warn') });
  const has: LocalBlockStore['has'] = async (locator) => (await scratch.has(locator)) || api.blocks.has(locator);
  const read: LocalBlockStore['read'] = async (locator, signal) =>
    ((await scratch.has(locator)) ? scratch : api.blocks).read(locator, signal);
  try {
    return await task({ api, blocks: { ...scratch, has, read } });
  } finally {
    api.close();
  }
}
