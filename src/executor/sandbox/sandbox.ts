import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, readlink, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { mib } from '../../core/units.ts';
import type { LimitSpec } from '../limits/limits.ts';
import { toLoadedImage } from '../loaded-image.ts';
import type { ContainerSpec, ContainerUsage, Executor, LoadableImage, LoadedImage, RunningContainer } from '../port.ts';
import { toContainer } from '../process/container.ts';
import { toContainerEnvironment } from '../process/container-environment.ts';
import { findOrphaned, ownedName } from '../process/owned.ts';
import type { Ground } from './ground.ts';
import { linkLayers } from './layer-store.ts';
import { removeOverlayWork, removeTree } from './remove.ts';
import { makeUpper, startInRoot, upperFolder, workFolder } from './root.ts';
import type { CpuSeconds } from './start.ts';
import { findUser } from './user.ts';

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
    reap: async (isOwned) => clearOrphans(await openGround(), isOwned),
  };
}

async function loadImage(ground: Ground, { image }: LoadableImage, signal?: AbortSignal): Promise<LoadedImage> {
  const folders = await ground.layers.extract(image.layers, signal);
  const reference = join(ground.home, 'images', image.imageHash.slice('sha256:'.length));
  if (!(await ground.claim(reference))) await linkLayers(reference, folders.toReversed());
  return toLoadedImage('sandbox', reference, image);
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
  const record = await recordScratch(ground, scratch);
  const release = async (): Promise<void> => {
    await clearScratch(ground, scratch);
    if (record !== undefined) await unlink(record);
  };
  try {
    const limitSpec = toLimitSpec(ground, spec);
    const init = await startInRoot(ground, root, {
      ...spec,
      environment: toContainerEnvironment(image, spec),
      noNewPrivileges: true,
      ...(spec.asImageUser && image.user !== undefined && { user: findUser([upper, ...root.layers], image.user) }),
      limits: limitSpec,
      maxProcesses: limitSpec.maxProcesses,
    });
    const { limits } = init;
    return toContainer(init, {
      finish: async () => ({
        outOfMemory: limits?.ranOutOfMemory() === true,
        usage: { ...limits?.usage(), ...toUsage(await init.cpu) },
      }),
      usage: async () => limits?.usage() ?? {},
      async release() {
        await init.gone;
        await limits?.remove();
        await release();
      },
    });
  } catch (error) {
    await release();
    throw error;
  }
}

/** What sets a container up runs inside its limit, and needs about this much. */
const leastRamBytes = 16 * mib;

function toLimitSpec({ options }: Ground, { id, ramBytes, vcpus, strictCpus }: ContainerSpec): LimitSpec {
  return {
    id,
    maxProcesses: options.maxProcesses ?? 2048,
    ...(ramBytes === undefined ? {} : { ramBytes: Math.max(ramBytes, leastRamBytes) }),
    ...(strictCpus && vcpus !== undefined ? { cpus: vcpus } : {}),
  };
}

const toUsage = (cpu: CpuSeconds | undefined): ContainerUsage =>
  cpu === undefined ? {} : { cpuUserSeconds: cpu.user, cpuSystemSeconds: cpu.system };

/** Some of what an overlay leaves cannot be removed by an ordinary user: the next `reap` finds it here if we die. */
async function recordScratch(ground: Ground, scratch: string): Promise<string | undefined> {
  if (ground.idMap.kind === 'identity') return undefined;
  const record = join(ground.home, 'scratch', ownedName());
  await mkdir(join(ground.home, 'scratch'), { recursive: true });
  await symlink(scratch, record);
  return record;
}

async function clearScratch(ground: Ground, scratch: string): Promise<void> {
  const { enter } = await ground.namespace();
  await removeOverlayWork(workFolder(scratch), enter);
  await removeTree(upperFolder(scratch), enter);
}

async function clearOrphans(ground: Ground, isOwned: (id: string) => boolean): Promise<void> {
  await ground.limits.reap(isOwned);
  for (const record of await findOrphaned(join(ground.home, 'scratch'))) {
    await clearScratch(ground, await readlink(record));
    await unlink(record);
  }
  const { enter } = await ground.namespace();
  for (const name of ['layers', 'images', 'builds']) {
    for (const folder of await findOrphaned(join(ground.home, name))) await removeTree(folder, enter);
  }
}
