import { requireNoZeros } from '../process/launcher.ts';
import { type InitOptions, keptCapabilities } from './init.ts';
import { type Mount, makesTarget, toMountCalls } from './mount.ts';

/** What process 1 does beside what every first process does. */
export interface PlanExtras {
  /** Of a network of its own, which it sets up. */
  readonly hostName?: string;
  /** A program of seccomp(2) that all of it is under. */
  readonly filter?: Buffer;
}

/** In the scratch folder. */
export const planName = 'init';

/** The words that `first` of the program in `init-perl.ts` reads, in its order, with zeros between them. */
export function toInitPlan(options: InitOptions, { hostName, filter }: PlanExtras): Buffer {
  const { user, environment, command } = options;
  const steps = options.phases.flatMap(({ files, mounts }) => [
    ...files.map((file) => ['file', file]),
    ...mounts.flatMap(toSteps),
  ]);
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const words = [
    ...[flag(options.hasStdin), hostName ?? '', options.maxProcesses ?? '', filter?.toString('hex') ?? ''],
    ...[Object.values(keptCapabilities).join(','), flag(options.noNewPrivileges)],
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
