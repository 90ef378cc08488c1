import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSpec, Executor, LoadableImage, LoadedImage, RunningContainer } from '../port.ts';
import { toContainer } from '../process/container.ts';
import { currentCaller, planIdMap, readIdSources } from './id-map.ts';
import { fstabName, toInitScript } from './init-script.ts';
import { createLayerStore, type LayerStore, linkLayers, removeTree } from './layer-store.ts';
import { planMounts, rootName } from './mounts.ts';
import { startInit } from './start.ts';
import { makeSkeleton } from './system-mounts.ts';
import { findLoopbackCommand, findTool, requireTools } from './tools.ts';
import { openUserNamespace, type UserNamespace } from './user-namespace.ts';

export interface SandboxOptions {
  /** Folder of extracted layers and of what this executor keeps; may be shared by any number of processes. */
  readonly home: string;
}

/** Runs containers in Linux namespaces with nothing but util-linux, GNU tar and a shell. Neither root nor a daemon. */
export function createSandboxExecutor({ home }: SandboxOptions): Executor {
  const ground = createGround(home);
  return {
    name: 'sandbox',
    runtime: async () => {
      await requireTools();
      await (await ground()).namespace();
      return 'sandbox (Linux namespaces)';
    },
    loadImage: async (image, signal) => loadImage(await ground(), image, signal),
    start: async (image, spec) => startSandbox(await ground(), image, spec),
    reap: async () => {},
  };
}

/** What containers, loads and builds of one executor share. Made on first use. */
export interface Ground {
  readonly home: string;
  readonly layers: LayerStore;
  readonly skeleton: string;
  readonly loopbackCommand: string;
  /** The namespace, opened again if its holder died. */
  namespace(): Promise<UserNamespace>;
}

export function createGround(home: string): () => Promise<Ground> {
  let made: Promise<Ground> | undefined;
  return () => {
    made ??= makeGround(home).catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

async function makeGround(home: string): Promise<Ground> {
  await requireTools();
  mkdirSync(home, { recursive: true });
  const skeleton = join(home, 'skeleton');
  await makeSkeleton(skeleton);
  const idMap = planIdMap(currentCaller(), await readIdSources((await findTool('newuidmap')) !== undefined));
  let opened: Promise<UserNamespace> | undefined;
  const namespace = (): Promise<UserNamespace> => {
    opened ??= openUserNamespace(idMap).then(
      (value) => {
        void value.ended.then(() => {
          opened = undefined;
        });
        return value;
      },
      (error) => {
        opened = undefined;
        throw error;
      },
    );
    return opened;
  };
  return {
    home,
    skeleton,
    namespace,
    layers: createLayerStore(join(home, 'layers'), namespace),
    loopbackCommand: await findLoopbackCommand(),
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

const rootLinks = new Map<string, readonly string[]>();

/** The layer folders of a loaded image, topmost first. */
function readLayers(reference: string): readonly string[] {
  const known = rootLinks.get(reference);
  if (known) return known;
  const count = readdirSync(reference).length;
  const layers = Array.from({ length: count }, (_, index) => readlinkSync(join(reference, String(index))));
  rootLinks.set(reference, layers);
  return layers;
}

async function startSandbox(ground: Ground, image: LoadedImage, spec: ContainerSpec): Promise<RunningContainer> {
  const layers = readLayers(image.reference);
  const scratch = spec.scratchDir;
  for (const name of [rootName, 'u', 'w']) mkdirSync(join(scratch, name));
  symlinkSync(image.reference, join(scratch, 'i'));
  symlinkSync(ground.skeleton, join(scratch, 's'));
  const lower = ['s', ...layers.map((_, index) => `i/${index}`)].join(':');
  const phases = planMounts({ overlay: `lowerdir=${lower},upperdir=u,workdir=w,userxattr`, layers }, spec);
  for (const [index, phase] of phases.entries()) {
    writeFileSync(join(scratch, fstabName(index)), `${phase.mounts.join('\n')}\n`);
  }
  const script = toInitScript({
    phases,
    loopbackCommand: spec.network ? '' : ground.loopbackCommand,
    command: spec.command,
    environment: spec.environment,
    workingDir: spec.workingDir,
    privileges: ['--no-new-privs'],
  });
  const namespace = await ground.namespace();
  const child = await startInit({
    namespace,
    script,
    scratch,
    network: spec.network,
    stdout: spec.stdout,
    stderr: spec.stderr,
    ...(spec.stdin === undefined ? {} : { stdin: spec.stdin }),
  });
  return toContainer(child, { release: () => clearScratch(scratch, namespace) });
}

/** Removes what the overlay made: some of it may belong to other ids of the namespace. */
async function clearScratch(scratch: string, namespace: UserNamespace): Promise<void> {
  for (const name of ['u', 'w']) await removeTree(join(scratch, name), namespace.enter);
}
