import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { ImageBuilder } from '../../crunch/builtin/builder.ts';
import type { Builtins, CrunchDeps } from '../../crunch/port.ts';
import type { Ground } from '../../executor/sandbox/ground.ts';
import type { ImageReference } from '../../image/reference.ts';
import type { RegistryClient } from '../../image/registry/client.ts';
import type { SaveImage } from '../../run/image/port.ts';
import type { BuilderName } from '../settings/config.ts';
import { ownEnvironment } from './environment.ts';
import type { ClusterHandle } from './handle.ts';

/** The registry client and the builder are loaded with the first pull or build. */
export function lazyBuiltins(cluster: ClusterHandle, parts: BuiltinParts): Builtins {
  let builtins: Promise<Builtins> | undefined;
  const load = (): Promise<Builtins> => {
    builtins ??= createBuiltinsOf(cluster, parts);
    return builtins;
  };
  return {
    pull: async (task, signal) => (await load()).pull(task, signal),
    build: async (task, signal) => (await load()).build(task, signal),
  };
}

interface BuiltinParts extends Pick<CrunchDeps, 'images' | 'collections' | 'trees'> {
  readonly ground: () => Promise<Ground>;
  readonly builder: BuilderName;
}

async function createBuiltinsOf(
  cluster: ClusterHandle,
  { ground, builder, ...parts }: BuiltinParts,
): Promise<Builtins> {
  const { api, blocks, home, logger } = cluster;
  const [{ createBuiltins }, { createLayerIndex }, { createContentStore }] = await Promise.all([
    import('../../crunch/builtin/builtins.ts'),
    import('../../crunch/images/layer-index.ts'),
    import('../../image/store/content-store.ts'),
  ]);
  return createBuiltins({
    ...parts,
    blocks,
    builder: await loadBuilder(builder, cluster, ground),
    registry: await createRegistry(logger),
    content: createContentStore({ cacheDir: join(home, 'pulls') }),
    layers: createLayerIndex(api, blocks),
  });
}

async function loadBuilder(
  name: BuilderName,
  { api, blocks, home }: ClusterHandle,
  ground: () => Promise<Ground>,
): Promise<ImageBuilder> {
  if (name !== 'hallmark') {
    const { createEngineBuilder } = await import('../../crunch/builtin/engines/engine-builder.ts');
    return createEngineBuilder({ name, environment: ownEnvironment() });
  }
  const [{ createImageBuilder }, { createBuildSandbox }, { createKeepLayerCache }] = await Promise.all([
    import('../../crunch/builtin/builder.ts'),
    import('../../executor/sandbox/build.ts'),
    import('../../crunch/images/layer-cache.ts'),
  ]);
  return createImageBuilder({
    sandbox: createBuildSandbox(ground),
    cache: createKeepLayerCache(api, blocks),
    cacheMountsDir: join(home, 'build-cache'),
    claim: blocks.claim,
  });
}

/** A registry client with the ecosystem's own configuration, logins and proxies. */
export async function createRegistry(logger?: Logger): Promise<RegistryClient> {
  const { openSystemRegistryClient } = await import('../../image/system-client.ts');
  const uid = process.getuid?.();
  return openSystemRegistryClient({
    env: process.env,
    homeDir: homedir(),
    ...(uid !== undefined && { uid }),
    ...(logger && { logger }),
  });
}

/** What a name means in its registry now. */
export function createResolveDigest(): (reference: ImageReference) => Promise<Digest> {
  let client: Promise<RegistryClient> | undefined;
  return async (reference) => {
    client ??= createRegistry();
    return (await (await client).resolve(reference)).digest;
  };
}

/** Images of files go into Keep without a container request: nothing is computed. */
export function createSaveImage({ api, blocks }: ClusterHandle): SaveImage {
  return async (image, { collection, references }, signal = new AbortController().signal) => {
    const { saveImage } = await import('../../crunch/images/save-image.ts');
    const record = await saveImage(image, { api, blocks, name: collection, references, signal });
    return record.portable_data_hash;
  };
}
