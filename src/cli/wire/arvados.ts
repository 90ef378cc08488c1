import { join } from 'node:path';
import { type BuiltinsHere, createBuiltinsHere } from '../../arvados/builtins-here/builtins-here.ts';
import { createLocalKeep } from '../../arvados/keep/local-keep.ts';
import { type ArvadosCluster, openArvados } from '../../arvados/open.ts';
import type { ArvadosSettings } from '../../arvados/settings.ts';
import type { Uuid } from '../../core/ids.ts';
import { openDiskBlockStore } from '../../keep/disk/disk-store.ts';
import type { LocalBlockStore } from '../../keep/port.ts';
import { createStderrLogger } from '../terminal/stderr-logger.ts';
import type { ClusterHandle, ReadOnlyCluster } from './handle.ts';

interface OfThisMachine extends Pick<ClusterHandle, 'home' | 'workDir' | 'clock' | 'logger'> {
  readonly project?: Uuid;
}

/** Opens a real cluster for `task`. Its blocks stay in the home too, beside those of the embedded cluster: they are the same. */
export async function withArvados<T>(
  settings: ArvadosSettings,
  { home, workDir, clock, logger, project }: OfThisMachine,
  task: (cluster: ClusterHandle) => Promise<T>,
): Promise<T> {
  const cluster = await openArvados(settings, { logger, ...(project && { project }) });
  try {
    const { builtinsHere, api } = withBuiltins(cluster);
    const disk = await openDiskBlockStore(join(home, 'keep'), { clock });
    const blocks = createLocalKeep({ disk, remote: cluster.blocks, signatures: cluster.signatures, logger });
    const apiEnvironment: ClusterHandle['apiEnvironment'] = async (container) => ({
      ARVADOS_API_HOST: settings.url.replace(/^https:\/\//, ''),
      ARVADOS_API_TOKEN: await cluster.containerToken(container),
      ...(settings.insecure && { ARVADOS_API_HOST_INSECURE: '1' }),
    });
    const handle = { home, workDir, api, blocks, clock, logger, apiEnvironment };
    return await task(builtinsHere ? { ...handle, builtinsHere } : handle);
  } finally {
    cluster.close();
  }
}

/** No release of Arvados has builtin requests: there this machine pulls and builds. */
function withBuiltins(cluster: ArvadosCluster): {
  readonly api: BuiltinsHere['api'];
  readonly builtinsHere?: BuiltinsHere;
} {
  if (cluster.capabilities.builtinRequests) return { api: cluster };
  const builtinsHere = createBuiltinsHere(cluster);
  return { api: builtinsHere.api, builtinsHere };
}

/** A real cluster to look at: what the scratch store lacks is read from it, nothing is sent. */
export async function withArvadosToLookAt<T>(
  settings: ArvadosSettings,
  scratch: LocalBlockStore,
  task: (cluster: ReadOnlyCluster) => Promise<T>,
): Promise<T> {
  const cluster = await openArvados(settings, { logger: createStderrLogger('warn') });
  const has: LocalBlockStore['has'] = async (locator) => (await scratch.has(locator)) || cluster.blocks.has(locator);
  const read: LocalBlockStore['read'] = async (locator, signal) =>
    ((await scratch.has(locator)) ? scratch : cluster.blocks).read(locator, signal);
  try {
    return await task({ api: withBuiltins(cluster).api, blocks: { ...scratch, has, read } });
  } finally {
    cluster.close();
  }
}
