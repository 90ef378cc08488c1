import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSpec, Executor, LoadableImage, LoadedImage, RunningContainer } from '../port.ts';
import { toContainer } from '../process/container.ts';
import type { Ground } from './ground.ts';
import { linkLayers } from './layer-store.ts';
import { findOrphaned } from './owned.ts';
import { removeOverlayWork, removeTree } from './remove.ts';
import { makeUpper, startInRoot, workFolder } from './root.ts';

/**
 * Runs containers in Linux namespaces with nothing but util-linux, GNU tar and a shell; needs neither root nor a daemon.
 * Containers end with this process, however it ends, so that `reap` has only files to clear.
 */
export function createSandboxExecutor(openGround: () => Promise<Ground>): Executor {
  return {
    name: 'sandbox',
    runtime: async () => {
      const ground = await openGround();
      await ground.namespace();
      return `sandbox (Linux namespaces, ${ground.idMap.kind} ids)`;
    },
    loadImage: async (image, signal) => loadImage(await openGround(), image, signal),
    start: async (image, spec) => startContainer(await openGround(), image, spec),
    reap: async () => clearOrphans(await openGround()),
  };
}

async function loadImage(ground: Ground, { image }: LoadableImage, signal?: AbortSignal): Promise<LoadedImage> {
  const folders = await ground.layers.extract(image.layers, signal);
  const reference = join(ground.home, 'images', image.imageHash.slice('sha256:'.length));
  await linkLayers(reference, folders.toReversed());
  const { config } = image.config;
  return {
    executor: 'sandbox',
    reference,
    environment: config?.Env ?? [],
    workingDir: config?.WorkingDir || '/',
    entrypoint: config?.Entrypoint ?? [],
  };
}

/** The layer folders of a loaded image, topmost first. */
function readLayers(reference: string): string[] {
  const count = readdirSync(reference).length;
  return Array.from({ length: count }, (_, index) => readlinkSync(join(reference, String(index))));
}

async function startContainer(ground: Ground, image: LoadedImage, spec: ContainerSpec): Promise<RunningContainer> {
  const scratch = spec.scratchDir;
  const upper = makeUpper(scratch);
  const root = { image: image.reference, layers: readLayers(image.reference), upper, scratch };
  const release = async (): Promise<void> => {
    const { enter } = await ground.namespace();
    await removeOverlayWork(workFolder(scratch), enter);
    await removeTree(upper, enter);
  };
  try {
    const child = await startInRoot(ground, root, { ...spec, noNewPrivileges: true });
    return toContainer(child, { release });
  } catch (error) {
    await release();
    throw error;
  }
}

async function clearOrphans(ground: Ground): Promise<void> {
  const { enter } = await ground.namespace();
  for (const name of ['layers', 'images', 'builds']) {
    for (const folder of await findOrphaned(join(ground.home, name))) await removeTree(folder, enter);
  }
}
