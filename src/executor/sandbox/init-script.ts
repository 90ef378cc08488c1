import { dirname } from 'node:path';
import { quote } from '../process/quote.ts';
import { type InitOptions, keptCapabilities } from './init.ts';
import type { MountPhase } from './mounts.ts';

export interface ScriptOptions extends InitOptions {
  /** Shell lines that set up a network of its own. */
  readonly networkCommands: readonly string[];
}

/**
 * The program of a container's first process, in dash and any other POSIX shell. On descriptor 3 it says
 * its id out here, waits for one line on 4 (an end instead means that the caller died), says what failed or `started`, and at the
 * end the CPU time of all it has waited for.
 *
 * Nothing of the image runs or is loaded before the last line: the programs are this machine's, their environment is clean,
 * and only the last `unshare` sees the container's, as it moves into the new root. The last of the mounts puts the new root over
 * the old one, so that leaving a chroot leads nowhere; `/..` is what lies on top there, `/` still the old one.
 *
 * The shell stays as process 1: it reaps orphans, and signals mean to the command what they mean anywhere. Its own root is the
 * old one; no process of the container can look at it, since it has capabilities that they lack (ptrace(2), "Ptrace access mode
 * checking").
 */
export function toInitScript(options: ScriptOptions): string {
  const lines = [
    'read -r pid rest < /proc/self/stat',
    'echo "ready $pid" >&3',
    'read -r go <&4 || exit 125',
    'exec 4>&2 2>&3',
    'set -e',
    ...(options.hasStdin ? pipeStdin : []),
    ...(options.owners ?? []).map(({ path, uid, gid }) => `chown ${uid}:${gid} -- ${quote(path)}`),
    ...options.phases.flatMap((phase, index) => toPhaseLines(phase, fstabName(index))),
    ...options.networkCommands,
    'cd -P /..',
    'set +e',
    ...(options.maxProcesses === undefined ? [] : [toProcessLimit(options.maxProcesses)]),
    'echo started >&3',
    'exec 2>/dev/null',
    `${toCommandLine(options)} 2>&4 3>&- 4>&-`,
    'status=$?',
    'times >&3',
    'exit $status',
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/**
 * A pipe in place of the file, as every engine has it (CWL v1.2, `stdin`: "piped into the command's standard input"): `wc` for
 * one writes other columns for a file. Nobody waits for `cat`, which ends with the container.
 */
const pipeStdin = ['mkfifo -m 600 stdin', 'exec 5<&0', 'cat <&5 2>/dev/null >stdin 3>&- 4>&- &', 'exec <stdin 5<&-'];

/** The option is `-u` in bash and busybox, `-p` in dash. */
const toProcessLimit = (count: number): string => `{ ulimit -u ${count} || ulimit -p ${count}; } 2>/dev/null`;

/** The file in the scratch folder that lists a phase's mounts. */
export const fstabName = (phase: number): string => `mounts.${phase}`;

function toPhaseLines({ files, mounts }: MountPhase, fstab: string): string[] {
  const folders = [...new Set(files.map((file) => dirname(file)))];
  return [
    folders.length > 0 ? `mkdir -p -- ${folders.map(quote).join(' ')}` : '',
    ...files.map((file) => `: > ${quote(file)}`),
    mounts.length > 0 ? `mount -n -a -T ${fstab}` : '',
  ];
}

function toCommandLine({ command, environment, workingDir, noNewPrivileges, user }: InitOptions): string {
  const bounding = ['-all', ...Object.keys(keptCapabilities).map((name) => `+${name}`)].join(',');
  const { early, late } = splitEnvironment(environment);
  const groups = user?.groups.join(',');
  const privileges = [
    ...['setpriv', '--bounding-set', bounding, ...(noNewPrivileges ? ['--no-new-privs'] : [])],
    ...(user ? [`--regid=${user.gid}`, groups ? `--groups=${groups}` : '--clear-groups'] : []),
  ];
  const rest = [
    ...[...early, 'unshare', '--root=.', `--wd=${workingDir}`, ...(user ? [`--setuid=${user.uid}`] : []), '--'],
    ...(late.length > 0 ? ['env', '--', ...late] : []),
    ...command,
  ];
  // The launcher says in $signals how env(1) undoes what a background process of a shell ignores.
  return `${privileges.map(quote).join(' ')} env -i $signals -- ${rest.map(quote).join(' ')}`;
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
