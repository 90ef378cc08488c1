import { requireNoZeros } from '../process/launcher.ts';
import { type InitOptions, keptCapabilities } from './init.ts';
import { type Mount, makesTarget, toMountCalls } from './mount.ts';

/** What a seat needs beside the root and the command. */
export interface SeatSurroundings {
  /** Paths of the namespaces that it joins; the network's is empty for none. */
  readonly userNamespace: string;
  readonly network: string;
  /** `CLONE_NEW*` of those that it makes. */
  readonly unshare: number;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  /** It waits for a word more before it starts the command. */
  readonly waits: boolean;
  /** Of a network of its own, which it sets up. */
  readonly hostName?: string;
  /** A program of seccomp(2) that the command is under. */
  readonly filter?: Buffer;
}

/** In the scratch folder. */
export const planName = 'init';

/** The words that `first` of the program in `init-perl.ts` reads, in its order, with zeros between them. */
export function toInitPlan(options: InitOptions, around: SeatSurroundings): Buffer {
  const { user, environment, command } = options;
  const steps = options.phases.flatMap(({ files, mounts }) => [
    ...files.map((file) => ['file', file]),
    ...mounts.flatMap(toSteps),
  ]);
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const words = [
    ...[around.userNamespace, around.network, around.unshare, around.stdin, around.stdout, around.stderr],
    ...[flag(options.hasStdin), flag(around.waits), around.hostName ?? '', options.maxProcesses ?? ''],
    ...[around.filter?.toString('hex') ?? '', Object.values(keptCapabilities).join(','), flag(options.noNewPrivileges)],
    ...[user?.uid ?? '', user?.gid ?? '', user?.groups.join(',') ?? '', options.workingDir],
    ...[(options.owners ?? []).length, ...(options.owners ?? []).flatMap(({ path, uid, gid }) => [uid, gid, path])],
    ...[steps.length, ...steps.flatMap((step) => [step.length, ...step])],
    ...[variables.length, ...variables, ...command],
  ];
  requireNoZeros(words.map(String));
  return Buffer.from(words.join('\0'));
}

const flag = (value: boolean | undefined): string => (value ? '1' : '');

function toSteps(mount: Mount): (string | number)[][] {
  const calls = toMountCalls(mount).map(({ source, target, type, flags, data }) => [
    ...['mount', source, target, type, flags, data],
  ]);
  return mount.options.includes(makesTarget) ? [['folder', mount.target], ...calls] : calls;
}
