import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamTarget } from '../port.ts';
import { emulationBinds } from './emulated-root.ts';
import type { Ground } from './ground.ts';
import { fstabName, type InitOptions, toInitScript } from './init-script.ts';
import { type MountSpec, planMounts, rootName } from './mounts.ts';
import { toJoinNetwork } from './network.ts';
import { type Init, startInit } from './start.ts';
import { isolatedHostName } from './system-mounts.ts';

/** A root file system to be: image layers below, `upper` on top. */
export interface RootSpec {
  /** A folder of links 0, 1, 2… to the layers, topmost first: keeps the options of the overlay within a page. */
  readonly image: string;
  /** Those layers. */
  readonly layers: readonly string[];
  /** What is written goes here. */
  readonly upper: string;
  /** Empty folder on the file system of `upper`. Holds the workings of this start. */
  readonly scratch: string;
}

export interface RunOptions extends MountSpec, Omit<InitOptions, 'phases' | 'networkCommands' | 'hasStdin'> {
  readonly stdin?: string;
  readonly stdout: StreamTarget;
  readonly stderr: StreamTarget;
  readonly networkName?: string;
  readonly confine?: (pid: number) => void;
}

/** Names in the scratch folder. Short and relative, since the options of a mount must fit into a page. */
const names = { image: 'i', skeleton: 's', mountPoints: 'm', upper: 'u', work: 'w', script: 'init' } as const;

export const upperFolder = (scratch: string): string => join(scratch, names.upper);
export const workFolder = (scratch: string): string => join(scratch, names.work);

/** The file can be written by the machine's root alone; elsewhere it takes sethostname(2). */
const nameCommand = `{ echo ${isolatedHostName} > /proc/sys/kernel/hostname || hostname ${isolatedHostName} || :; } 2>/dev/null`;

/** Starts the command in the root and resolves when it is about to run. */
export async function startInRoot(ground: Ground, root: RootSpec, options: RunOptions): Promise<Init> {
  const { scratch } = root;
  for (const name of [rootName, names.work, names.mountPoints]) mkdirSync(join(scratch, name));
  symlinkSync(root.image, join(scratch, names.image));
  symlinkSync(ground.skeleton, join(scratch, names.skeleton));
  if (root.upper !== join(scratch, names.upper)) symlinkSync(root.upper, join(scratch, names.upper));
  const network = options.network && options.networkName !== 'none';
  const loopback = network ? undefined : await ground.loopback();
  const layers = [root.upper, ...root.layers];
  const { emulation } = ground;
  const phases = planMounts(
    {
      outside: loopback?.mounts ?? [],
      overlay: toOverlayOptions(root.layers.length),
      layers,
      mountPoints: join(scratch, names.mountPoints),
    },
    { ...options, network, binds: [...emulationBinds(emulation, layers), ...options.binds] },
  );
  for (const [index, { mounts }] of phases.entries()) {
    writeFileSync(join(scratch, fstabName(index)), `${mounts.join('\n')}\n`);
  }
  const networkCommands = loopback ? [loopback.command, nameCommand] : [];
  const hasStdin = options.stdin !== undefined;
  // A file, for it may be longer than one argument can be, and nobody else shall read the environment off the process list.
  writeFileSync(join(scratch, names.script), toInitScript({ ...options, phases, networkCommands, hasStdin }), {
    mode: 0o600,
  });
  const { stdin, stdout, stderr, confine } = options;
  const namespace = await ground.namespace();
  return startInit(ground.launcher, {
    ...{ namespace, script: names.script, scratch, network, stdout, stderr },
    joinNetwork: network ? toJoinNetwork(options.networkName) : [],
    ...(stdin === undefined ? {} : { stdin }),
    ...(confine === undefined ? {} : { confine }),
    ...(emulation && { wrapper: emulation.command }),
  });
}

/** Makes the upper folder of a container that is used once. */
export function makeUpper(scratch: string): string {
  const upper = upperFolder(scratch);
  mkdirSync(upper);
  return upper;
}

/** `volatile`: what is written is thrown away or read at once, so nothing is gained by syncing the disk at the end. */
function toOverlayOptions(layerCount: number): string {
  const layers = Array.from({ length: layerCount }, (_, index) => `${names.image}/${index}`);
  const lower = [names.mountPoints, names.skeleton, ...layers].join(':');
  return `lowerdir=${lower},upperdir=${names.upper},workdir=${names.work},userxattr,volatile`;
}
