import type { BindMount, ContainerSpec } from '../port.ts';

/** Names of our containers in the engine. */
export const namePrefix = 'hallmark-';
export const toName = (id: string): string => namePrefix + id.replaceAll('/', '_');

/** The options of `run` that docker and podman understand alike. */
export function toRunArgs(spec: ContainerSpec): string[] {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return [
    ...['--name', toName(spec.id), '--pull', 'never', '--log-driver', 'none'],
    ...['--security-opt', 'no-new-privileges'],
    ...['--workdir', spec.workingDir, ...(spec.asImageUser ? [] : ['--user', `${uid}:${gid}`])],
    ...toNetworkArgs(spec),
    ...(spec.readOnlyRoot ? ['--read-only'] : []),
    ...(spec.stdin === undefined ? [] : ['--interactive']),
    ...spec.tmpfs.flatMap(({ target, sizeBytes }) => ['--mount', toTmpfs(target, sizeBytes)]),
    ...spec.binds.flatMap((bind) => ['--mount', toBind(bind)]),
    ...Object.entries(spec.environment).flatMap(([name, value]) => [
      '--env',
      isPassedOn(name) ? name : `${name}=${value}`,
    ]),
  ];
}

/** For engines that can make them hold. */
export const toLimitArgs = ({ ramBytes, vcpus, strictCpus }: ContainerSpec, maxProcesses: number): string[] => [
  ...['--pids-limit', String(maxProcesses)],
  ...(ramBytes === undefined ? [] : ['--memory', String(ramBytes), '--memory-swap', String(ramBytes)]),
  ...(strictCpus && vcpus !== undefined ? ['--cpus', String(vcpus)] : []),
];

function toNetworkArgs({ network, networkName }: ContainerSpec): string[] {
  if (!network) return ['--network', 'none'];
  return networkName === undefined ? [] : ['--network', networkName];
}

/** The variables that the program passes on from its own environment, where other users cannot read them. */
export const toPassedEnvironment = ({ environment }: ContainerSpec): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => isPassedOn(name)));

/** What the engine's program, its helpers or the loader would take for themselves is named on the command line instead. */
const isPassedOn = (name: string): boolean =>
  /^\w+$/.test(name) &&
  !/^(PATH|HOME|USER|LOGNAME|TMPDIR|SHELL|TZ|LANG|LC_.*|LD_.*|GO.*|XDG_.*|DBUS_.*|.*_PROXY|NOTIFY_SOCKET)$/i.test(
    name,
  ) &&
  !/^(DOCKER|BUILDKIT|BUILDAH|CONTAINER|CONMON|PODMAN|REGISTRY|STORAGE|SSL|APPTAINER|SINGULARITY|_)/i.test(name);

function toBind({ source, target, readOnly }: BindMount): string {
  return toCsv(['type=bind', `source=${source}`, `target=${target}`, ...(readOnly ? ['readonly'] : [])]);
}

function toTmpfs(target: string, sizeBytes: number | undefined): string {
  return toCsv([
    'type=tmpfs',
    `target=${target}`,
    'tmpfs-mode=1777',
    ...(sizeBytes ? [`tmpfs-size=${sizeBytes}`] : []),
  ]);
}

/** RFC 4180: the `--mount` option is one record. */
const toCsv = (fields: readonly string[]): string =>
  fields.map((field) => (/[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
