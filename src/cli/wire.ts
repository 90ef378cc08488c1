/** The only place that constructs implementations. What a command does not use is not even loaded. */
import { existsSync } from 'node:fs';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createFetcherByScheme } from '../adapters/fetch/by-scheme.ts';
import { createFileFetcher } from '../adapters/fetch/file.ts';
import type { Container } from '../api/records.ts';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { toMessage } from '../core/errors.ts';
import type { Digest } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { ImageBuilder } from '../crunch/builtin/builder.ts';
import { createCollectionReader } from '../crunch/collections.ts';
import { createImageOpener } from '../crunch/images/opener.ts';
import type { Builtins, CrunchDeps } from '../crunch/port.ts';
import { createTreeCache } from '../crunch/trees.ts';
import type { Fetcher, JsEngine } from '../cwl/port.ts';
import type { Executor, ExecutorName } from '../executor/port.ts';
import type { Ground } from '../executor/sandbox/ground.ts';
import type { ImageReference } from '../image/reference.ts';
import type { RegistryClient } from '../image/registry/client.ts';
import { type DiskBlockStore, openDiskBlockStore } from '../keep/disk/disk-store.ts';
import type { LocalBlockStore } from '../keep/port.ts';
import type { SaveImage } from '../run/image/resolve.ts';
import { type BuilderName, locateHome, readConfig } from './config.ts';
import { createStderrLogger } from './stderr-logger.ts';

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
  const { createScratchBlockStore } = await import('../keep/disk/scratch-store.ts');
  const path = join(home, 'cluster.sqlite');
  const api = openCluster(existsSync(path) ? { path, readOnly: true } : { path: ':memory:' });
  try {
    return await task({ api, blocks: createScratchBlockStore(join(home, 'keep')) });
  } finally {
    api.close();
  }
}

export interface EngineOptions {
  readonly executor: ExecutorName;
  readonly builder: BuilderName;
  readonly maxConcurrent?: number;
}

/** Runs the containers of this process while `task` runs: dispatcher, crunch-run and executors. */
export async function withEngine<T>(
  cluster: ClusterHandle,
  options: EngineOptions,
  task: () => Promise<T>,
): Promise<T> {
  const { createDispatcher } = await import('../cluster/dispatch/dispatcher.ts');
  return withCrunchRun(cluster, options, async (runContainer) => {
    const dispatcher = createDispatcher({
      cluster: cluster.api,
      capacity: { vcpus: availableParallelism(), ramBytes: totalmem() },
      logger: cluster.logger,
      runContainer,
      ...(options.maxConcurrent === undefined ? {} : { maxConcurrent: options.maxConcurrent }),
    });
    try {
      return await task();
    } finally {
      await dispatcher.stop();
    }
  });
}

type RunContainer = (container: Container, signal: AbortSignal) => Promise<void>;

/** Gives `task` what brings a locked container to its end. */
export async function withCrunchRun<T>(
  cluster: ClusterHandle,
  options: EngineOptions,
  task: (runContainer: RunContainer) => Promise<T>,
): Promise<T> {
  const deps = createCrunchDeps(cluster, options);
  // An engine that somebody chose and that does not answer is told before any work, not by every container.
  if (options.executor !== 'sandbox') await (await deps.executors(options.executor)).runtime();
  const recovered = recover(deps);
  try {
    return await task(async (container, signal) => {
      const { runContainer } = await import('../crunch/run-container.ts');
      await runContainer(container, deps, signal);
    });
  } finally {
    await recovered;
    const { closeOwnerDirectory, scratchRoot } = await import('../crunch/owner.ts');
    await closeOwnerDirectory(scratchRoot(cluster.workDir));
  }
}

/** Clears what killed processes left, beside the work: nothing waits for it but the end. */
async function recover(deps: CrunchDeps): Promise<void> {
  try {
    await setImmediate();
    const { reapLeftovers } = await import('../crunch/reap.ts');
    await reapLeftovers(deps, async () => [await deps.executors(deps.defaultExecutor)]);
  } catch (error) {
    deps.logger.warn(`what earlier runs left could not be cleared: ${toMessage(error)}`);
  }
}

export function createCrunchDeps(cluster: ClusterHandle, { executor, builder }: EngineOptions): CrunchDeps {
  const { api, blocks, workDir, clock, logger } = cluster;
  const executors = new Map<ExecutorName, Promise<Executor>>();
  const collections = createCollectionReader(api);
  const trees = createTreeCache(blocks);
  const images = createImageOpener(collections, blocks);
  const ground = lazyGround(join(cluster.home, 'sandbox'));
  return {
    api,
    blocks,
    collections,
    trees,
    images,
    executors: (name) => {
      const loaded = executors.get(name) ?? loadExecutor(name, cluster, ground);
      executors.set(name, loaded);
      return loaded;
    },
    defaultExecutor: executor,
    builtins: lazyBuiltins(cluster, { images, collections, trees, ground, builder }),
    secretMounts: (uuid) => api.secretMounts(uuid),
    workDir,
    hostPath: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    clock,
    logger,
  };
}

/** The registry client and the builder are loaded with the first pull or build. */
function lazyBuiltins(cluster: ClusterHandle, parts: BuiltinParts): Builtins {
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
  const { api, blocks, logger } = cluster;
  const [{ createBuiltins }, { createLayerIndex }] = await Promise.all([
    import('../crunch/builtin/builtins.ts'),
    import('../crunch/images/layer-index.ts'),
  ]);
  return createBuiltins({
    ...parts,
    blocks,
    builder: await loadBuilder(builder, cluster, ground),
    registry: await createRegistry(logger),
    layers: createLayerIndex(api, blocks),
  });
}

async function loadBuilder(
  name: BuilderName,
  { api, blocks, home }: ClusterHandle,
  ground: () => Promise<Ground>,
): Promise<ImageBuilder> {
  if (name !== 'hallmark') {
    const { createEngineBuilder } = await import('../crunch/builtin/engines/engine-builder.ts');
    return createEngineBuilder({ name, environment: ownEnvironment() });
  }
  const [{ createImageBuilder }, { createBuildSandbox }, { createKeepLayerCache }] = await Promise.all([
    import('../crunch/builtin/builder.ts'),
    import('../executor/sandbox/build.ts'),
    import('../crunch/images/layer-cache.ts'),
  ]);
  return createImageBuilder({
    sandbox: createBuildSandbox(ground),
    cache: createKeepLayerCache(api, blocks),
    cacheMountsDir: join(home, 'build-cache'),
  });
}

/** The sandbox's own things are made with the first container. */
function lazyGround(home: string): () => Promise<Ground> {
  let open: (() => Promise<Ground>) | undefined;
  return async () => {
    open ??= (await import('../executor/sandbox/ground.ts')).createGround({ home });
    return open();
  };
}

async function loadExecutor(
  name: ExecutorName,
  cluster: ClusterHandle,
  ground: () => Promise<Ground>,
): Promise<Executor> {
  switch (name) {
    case 'host':
      return (await import('../executor/host/host.ts')).createHostExecutor();
    case 'sandbox':
      return (await import('../executor/sandbox/sandbox.ts')).createSandboxExecutor(ground);
    case 'docker':
      return (await import('../executor/docker/docker.ts')).createDockerExecutor({ environment: ownEnvironment() });
    case 'podman':
      return (await import('../executor/podman/podman.ts')).createPodmanExecutor({ environment: ownEnvironment() });
    case 'apptainer':
      return createApptainer(cluster);
  }
}

async function createApptainer({ api, blocks, home, logger }: ClusterHandle): Promise<Executor> {
  const [{ createApptainerExecutor }, { createKeepSifStore }] = await Promise.all([
    import('../executor/apptainer/apptainer.ts'),
    import('../crunch/images/sif-store.ts'),
  ]);
  return createApptainerExecutor({
    home: join(home, 'apptainer'),
    sifs: createKeepSifStore({ api, blocks, logger }),
    environment: ownEnvironment(),
  });
}

/** For the programs of engines, which read their settings from it. */
const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/** Reads documents: files of this machine, and public web addresses. */
export function createFetcher(): Fetcher {
  let web: Promise<Fetcher> | undefined;
  const openWeb = (): Promise<Fetcher> => {
    web ??= import('../adapters/fetch/http.ts').then((module) => module.createHttpFetcher());
    return web;
  };
  const lazyWeb: Fetcher = {
    fetchText: async (uri) => (await openWeb()).fetchText(uri),
    exists: async (uri) => (await openWeb()).exists(uri),
  };
  return createFetcherByScheme({ file: createFileFetcher(), http: lazyWeb, https: lazyWeb });
}

/** JavaScript starts with the first expression that needs it. */
export function createJsEngine(): JsEngine {
  let engine: Promise<JsEngine> | undefined;
  return {
    async evaluate(request) {
      engine ??= import('../adapters/js/engine.ts').then((module) => module.createJsEngine());
      return (await engine).evaluate(request);
    },
    async close() {
      await (await engine)?.close();
    },
  };
}

/** A registry client with the ecosystem's own configuration and logins. */
export async function createRegistry(logger?: Logger): Promise<RegistryClient> {
  const [{ createRegistryClient }, { createCredentialStore }, { createDirectory }, { loadRegistriesConf }] =
    await Promise.all([
      import('../image/registry/client.ts'),
      import('../image/config/credentials.ts'),
      import('../image/config/directory.ts'),
      import('../image/config/load-registries.ts'),
    ]);
  const uid = process.getuid?.();
  const environment = { env: process.env, homeDir: homedir(), ...(uid === undefined ? {} : { uid }) };
  return createRegistryClient({
    directory: createDirectory(await loadRegistriesConf(environment)),
    credentials: createCredentialStore(environment),
    ...(logger === undefined ? {} : { logger }),
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
    const { saveImage } = await import('../crunch/images/save-image.ts');
    const record = await saveImage(image, { api, blocks, name: collection, references, signal });
    return record.portable_data_hash;
  };
}
