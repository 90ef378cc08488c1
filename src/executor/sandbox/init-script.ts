import type { MountPhase } from './mounts.ts';
import { rootName } from './mounts.ts';

/** Docker's default capabilities. They count inside the user namespace only. */
const keptCapabilities = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'net_bind_service',
  'net_raw',
  'sys_chroot',
  'mknod',
  'audit_write',
  'setfcap',
];

export interface InitOptions {
  readonly phases: readonly MountPhase[];
  readonly loopbackCommand: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** Options of setpriv(1) beside the capabilities. */
  readonly privileges: readonly string[];
}

/** What the channel says when the container is about to start its command. */
export const startedWord = 'started';

/**
 * The program of a container's first process, in dash and any other POSIX shell. Channel (descriptor 3): it says that it is
 * there, waits for one line (an end instead means that the caller died), then says what failed or `started`.
 *
 * Nothing of the image runs or is loaded before the last line: the programs are this machine's, their environment is clean,
 * and only the last `unshare` sees the container's, when it has moved into the new root. The new root is moved over the
 * old one, so that leaving a chroot leads nowhere.
 */
export function toInitScript(options: InitOptions): string {
  const lines = [
    'echo ready >&3',
    'read -r go <&3 || exit 125',
    'exec 4>&2 2>&3',
    'set -e',
    ...options.phases.flatMap((phase, index) => toPhaseLines(phase, fstabName(index))),
    `cd ${rootName}`,
    'mount --move . /',
    options.loopbackCommand,
    `echo ${startedWord} >&3`,
    `exec 2>&4 3>&- 4>&-`,
    `exec ${toCommandLine(options).map(quote).join(' ')}`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** The file in the scratch folder that lists a phase's mounts. */
export const fstabName = (phase: number): string => `mounts.${phase}`;

function toPhaseLines({ directories, files, mounts }: MountPhase, fstab: string): string[] {
  const list = (paths: readonly string[]): string => paths.map(quote).join(' ');
  return [
    directories.length > 0 ? `mkdir -p -- ${list(directories)}` : '',
    files.length > 0 ? `touch -- ${list(files)}` : '',
    mounts.length > 0 ? `mount -a -T ${fstab}` : '',
  ];
}

function toCommandLine({ command, environment, workingDir, privileges }: InitOptions): string[] {
  const bounding = ['-all', ...keptCapabilities.map((name) => `+${name}`)].join(',');
  const { early, late } = splitEnvironment(environment);
  return [
    ...['setpriv', '--pdeathsig', 'KILL', '--bounding-set', bounding, ...privileges],
    ...['env', '-i', ...early, 'unshare', '--root=.', `--wd=${workingDir}`, '--'],
    ...(late.length > 0 ? ['/usr/bin/env', ...late] : []),
    ...command,
  ];
}

/** What the dynamic loader or the C library would obey when it starts a program of this machine. */
const loaderVariable = /^(LD_|GLIBC_TUNABLES$|GCONV_PATH$|LOCPATH$|NLSPATH$|MALLOC_)/;

/** `late` variables are set inside the container, by its own env(1). */
function splitEnvironment(environment: Readonly<Record<string, string>>): { early: string[]; late: string[] } {
  const early: string[] = [];
  const late: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    (loaderVariable.test(name) ? late : early).push(`${name}=${value}`);
  }
  return { early, late };
}

export const quote = (word: string): string =>
  /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
