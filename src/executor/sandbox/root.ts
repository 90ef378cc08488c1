import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LimitSpec } from '../limits/limits.ts';
import type { StreamTarget } from '../port.ts';
import { emulationBinds } from './emulated-root.ts';
import type { Ground } from './ground.ts';
import type { InitOptions } from './init.ts';
import { fstabName, toInitScript } from './init-script.ts';
import { type Mount, toFstabLine } from './mount.ts';
import { type MountSpec, planMounts, rootName } from './mounts.ts';
import { toJoinNetwork, toNetworkPath } from './network.ts';
import type { Seats } from './seats.ts';
import type { Init } from './start.ts';
import { startOnSeat } from './start-seat.ts';
import { startByShell } from './start-shell.ts';
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

export interface RunOptions extends MountSpec, Omit<InitOptions, 'phases' | 'hasStdin'> {
  readonly stdin?: string;
  readonly stdout: StreamTarget;
  readonly stderr: StreamTarget;
  readonly networkName?: string;
  /** None for builds. */
  readonly limits?: LimitSpec;
}

/** Names in the scratch folder. Short and relative, since the options of a mount must fit into a page. */
const names = { image: 'i', skeleton: 's', mountPoints: 'm', upper: 'u', work: 'w', script: 'init' } as const;

export const upperFolder = (scratch: string): string => join(scratch, names.upper);
export const workFolder = (scratch: string): string => join(scratch, names.work);

/** Starts the command in the root and resolves when it has started, or is about to. */
export async function startInRoot(ground: Ground, root: RootSpec, options: RunOptions): Promise<Init> {
  const { scratch } = root;
  for (const name of [rootName, names.work, names.mountPoints]) mkdirSync(join(scratch, name));
  symlinkSync(root.image, join(scratch, names.image));
  symlinkSync(ground.skeleton, join(scratch, names.skeleton));
  if (root.upper !== join(scratch, names.upper)) symlinkSync(root.upper, join(scratch, names.upper));
  const network = options.network && options.networkName !== 'none';
  const layers = [root.upper, ...root.layers];
  const plan = (outside: readonly Mount[]): InitOptions => ({
    ...options,
    hasStdin: options.stdin !== undefined,
    phases: planMounts(
      {
        outside,
        overlay: toOverlayOptions(root.layers.length),
        layers,
        mountPoints: join(scratch, names.mountPoints),
      },
      { ...options, network, binds: [...emulationBinds(ground.emulation, layers), ...options.binds] },
    ),
  });
  const start = { ground, scratch, network, plan, options };
  return ground.seats ? onSeat(ground.seats, start) : byShell(start);
}

interface RootStart {
  readonly ground: Ground;
  readonly scratch: string;
  readonly network: boolean;
  readonly plan: (outside: readonly Mount[]) => InitOptions;
  readonly options: RunOptions;
}

/** `CLONE_NEWNS`, `CLONE_NEWPID`, `CLONE_NEWIPC`, `CLONE_NEWUTS`, and `CLONE_NEWNET`. */
const newNamespaces = 0x20000 | 0x20000000 | 0x08000000 | 0x04000000;
const newNetwork = 0x40000000;

async function onSeat(seats: Seats, { ground, scratch, network, plan, options }: RootStart): Promise<Init> {
  const { stdin, stdout, stderr, limits, networkName } = options;
  const namespace = await ground.namespace();
  return startOnSeat(seats, {
    ...{ scratch, stdout, stderr, limits },
    ...(stdin !== undefined && { stdin }),
    namespaces: {
      user: namespace.path,
      network: network ? toNetworkPath(networkName) : undefined,
      unshare: newNamespaces + (network ? 0 : newNetwork),
    },
    plan: () => ({
      ...plan([]),
      ...(!network && { hostName: isolatedHostName }),
      ...(ground.emulation && { filter: ground.emulation.filter }),
    }),
  });
}

/** The file can be written by the machine's root alone; elsewhere it takes sethostname(2). */
const nameCommand = `{ echo ${isolatedHostName} > /proc/sys/kernel/hostname || hostname ${isolatedHostName} || :; } 2>/dev/null`;

async function byShell({ ground, scratch, network, plan, options }: RootStart): Promise<Init> {
  const { stdin, stdout, stderr, limits, networkName } = options;
  const loopback = network ? undefined : await ground.loopback();
  const init = plan(loopback?.mounts ?? []);
  for (const [index, { mounts }] of init.phases.entries()) {
    writeFileSync(join(scratch, fstabName(index)), `${mounts.map(toFstabLine).join('\n')}\n`);
  }
  const networkCommands = loopback ? [loopback.command, nameCommand] : [];
  // A file, for it may be longer than one argument can be, and nobody else shall read the environment off the process list.
  writeFileSync(join(scratch, names.script), toInitScript({ ...init, networkCommands }), { mode: 0o600 });
  return startByShell(ground.launcher, {
    ...{ namespace: await ground.namespace(), script: names.script, scratch, network, stdout, stderr },
    joinNetwork: network ? toJoinNetwork(networkName) : [],
    limits: limits && ground.limits.create(limits),
    ...(stdin !== undefined && { stdin }),
  });
}

/** Makes the upper folder of a container that is used once. */
export function makeUpper(scratch: string): string {
  const upper = upperFolder(scratch);
  mkdirSync(upper);
  return upper;
}

/** `volatile`: what is written is thrown away or read at once, so nothing is gained by syncing the disk at the end. */
function toOverlayOptions(layerCount: number): string[] {
  const layers = Array.from({ length: layerCount }, (_, index) => `${names.image}/${index}`);
  const lower = [names.mountPoints, names.skeleton, ...layers].join(':');
  return [`lowerdir=${lower}`, `upperdir=${names.upper}`, `workdir=${names.work}`, 'userxattr', 'volatile'];
}
