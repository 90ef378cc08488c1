import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Container } from '../../api/records.ts';
import type { BuiltinsHere } from '../../arvados/builtins-here/builtins-here.ts';
import { toMessage } from '../../core/errors.ts';
import { createCollectionReader } from '../../crunch/collections.ts';
import { createImageOpener } from '../../crunch/images/opener.ts';
import type { CrunchDeps } from '../../crunch/port.ts';
import { createTreeCache } from '../../crunch/trees.ts';
import type { ContainerSettings, Executor, ExecutorName } from '../../executor/port.ts';
import type { Ground, SandboxOptions } from '../../executor/sandbox/ground.ts';
import type { BuilderName } from '../settings/config.ts';
import { ownEnvironment } from './environment.ts';
import type { ClusterHandle } from './handle.ts';
import { lazyBuiltins } from './images.ts';

export interface EngineOptions {
  readonly executor: ExecutorName;
  readonly builder: BuilderName;
  readonly maxConcurrent?: number;
  readonly settings?: ContainerSettings;
  readonly leaveScratch?: boolean;
  /** Flags that were given and have no effect on a real cluster. */
  readonly flagsOfThisMachine?: readonly string[];
}

/**
 * Runs the containers of this process while `task` runs: dispatcher, crunch-run and executors. The signal says that they cannot be
 * run any more. A real cluster runs its own.
 */
export async function withEngine<T>(
  cluster: ClusterHandle,
  options: EngineOptions & { readonly scope?: 'own' | 'all' },
  task: (failed: AbortSignal) => Promise<T>,
): Promise<T> {
  const { embedded, builtinsHere } = cluster;
  if (!embedded) {
    const flags = options.flagsOfThisMachine ?? [];
    if (flags.length > 0) cluster.logger.warn(`${flags.join(', ')}: no effect, the cluster runs the containers`);
    const onCluster = () => task(new AbortController().signal);
    return builtinsHere ? withBuiltinsHere(builtinsHere, { cluster, options }, onCluster) : onCluster();
  }
  const { createDispatcher } = await import('../../cluster/dispatch/dispatcher.ts');
  return withCrunchRun(cluster, options, async (runContainer) => {
    const dispatcher = createDispatcher({
      cluster: embedded,
      scope: options.scope ?? 'own',
      capacity: { vcpus: availableParallelism(), ramBytes: totalmem() },
      logger: cluster.logger,
      runContainer,
      ahead: true,
      ...(options.maxConcurrent === undefined ? {} : { maxConcurrent: options.maxConcurrent }),
    });
    try {
      return await task(dispatcher.failed);
    } finally {
      await dispatcher.stop();
    }
  });
}

/** Pulls and builds, while `task` runs, for a cluster that cannot. */
function withBuiltinsHere<T>(
  builtinsHere: BuiltinsHere,
  { cluster, options }: { readonly cluster: ClusterHandle; readonly options: EngineOptions },
  task: () => Promise<T>,
): Promise<T> {
  return withCrunchRun(cluster, { ...options, executor: 'sandbox' }, async (runContainer) => {
    const stop = builtinsHere.serve(runContainer);
    try {
      return await task();
    } finally {
      await stop();
    }
  });
}

type RunContainer = (
  container: Container,
  signal: AbortSignal,
  onEnded?: () => void,
  turn?: Promise<void>,
) => Promise<void>;

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
    // Even a module that is loaded takes a tenth of a millisecond to import.
    let life: Promise<typeof import('../../crunch/run-container.ts')> | undefined;
    return await task(async (container, signal, onEnded, turn) => {
      life ??= import('../../crunch/run-container.ts');
      const own = { ...deps, ...(onEnded && { onEnded }), ...(turn && { turn }) };
      await (await life).runContainer(container, own, signal);
    });
  } finally {
    await recovered;
    const { closeOwnerDirectory, leftRoot, scratchRoot } = await import('../../crunch/owner.ts');
    await closeOwnerDirectory(scratchRoot(cluster.workDir));
    if (options.leaveScratch) cluster.logger.warn(`scratch folders are left in ${leftRoot(cluster.workDir)}`);
  }
}

/** Clears what killed processes left, beside the work: nothing waits for it but the end. */
async function recover(deps: CrunchDeps): Promise<void> {
  try {
    await setImmediate();
    const { reapLeftovers } = await import('../../crunch/reap.ts');
    await reapLeftovers(deps);
  } catch (error) {
    deps.logger.warn(`what earlier runs left could not be cleared: ${toMessage(error)}`);
  }
}

export function createCrunchDeps(cluster: ClusterHandle, options: EngineOptions): CrunchDeps {
  const { executor, builder, settings, leaveScratch } = options;
  const { api, blocks, workDir, clock, logger } = cluster;
  const executors = new Map<ExecutorName, Promise<Executor>>();
  const collections = createCollectionReader(api);
  const trees = createTreeCache(blocks);
  const images = createImageOpener(collections, blocks);
  const ground = lazyGround({ home: join(cluster.home, 'sandbox'), claim: blocks.claim });
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
    ...(cluster.apiEnvironment && { apiEnvironment: cluster.apiEnvironment }),
    workDir,
    hostPath: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    clock,
    logger,
    ...(settings === undefined ? {} : { settings }),
    ...(leaveScratch === undefined ? {} : { leaveScratch }),
  };
}

/** The sandbox's own things are made with the first container. */
function lazyGround(options: SandboxOptions): () => Promise<Ground> {
  let opener: Promise<() => Promise<Ground>> | undefined;
  return async () => {
    opener ??= import('../../executor/sandbox/ground.ts').then(({ createGround }) => createGround(options));
    return (await opener)();
  };
}

async function loadExecutor(
  name: ExecutorName,
  cluster: ClusterHandle,
  ground: () => Promise<Ground>,
): Promise<Executor> {
  switch (name) {
    case 'host':
      return (await import('../../executor/host/host.ts')).createHostExecutor({ readOnly: [cluster.blocks.directory] });
    case 'sandbox':
      return (await import('../../executor/sandbox/sandbox.ts')).createSandboxExecutor(ground);
    case 'docker':
      return (await import('../../executor/docker/docker.ts')).createDockerExecutor({ environment: ownEnvironment() });
    case 'podman':
      return (await import('../../executor/podman/podman.ts')).createPodmanExecutor({ environment: ownEnvironment() });
    case 'apptainer':
      return createApptainer(cluster);
  }
}

async function createApptainer({ api, blocks, home, logger }: ClusterHandle): Promise<Executor> {
  const [{ createApptainerExecutor }, { createKeepSifStore }] = await Promise.all([
    import('../../executor/apptainer/apptainer.ts'),
    import('../../crunch/images/sif-store.ts'),
  ]);
  return createApptainerExecutor({
    home: join(home, 'apptainer'),
    sifs: createKeepSifStore({ api, blocks, logger }),
    claim: blocks.claim,
    environment: ownEnvironment(),
  });
}
