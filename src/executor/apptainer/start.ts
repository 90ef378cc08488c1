import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { overhear } from '../engine/overhear.ts';
import { executorError } from '../errors.ts';
import type { Limits } from '../limits/limits.ts';
import type { ContainerSpec, LoadedImage } from '../port.ts';
import { openChannel } from '../process/channel.ts';
import { type Group, killGroup } from '../process/child.ts';
import { toContainerEnvironment } from '../process/container-environment.ts';
import type { Launched, Launcher } from '../process/launcher.ts';
import { openOutput, toDraining } from '../process/output.ts';
import { openBackPipe, openPipe } from '../process/pipes.ts';
import { isRoot, planBinds, toMountOption } from './binds.ts';
import type { ApptainerProgram } from './program.ts';

/** Waits until its limits hold; then it is apptainer. */
const beforeEngine = 'read -r go <&4 || exit; exec 4<&-; ';
const becomeEngine = 'exec "$@"';

/** A pipe in place of the file, as every engine has it. Nobody waits for `cat`, which ends with the container. */
const becomeEngineWithPipe =
  'mkfifo -m 600 "$0" || exit; exec 5<&0; cat <&5 2>/dev/null >"$0" 3>&- & exec "$@" <"$0" 5<&-';

/**
 * The first in the container: reports on descriptor 3 and becomes the command, by the image's env(1), which gives it nothing
 * but its own environment, and 126 or 127 as its exit code where it is no command.
 */
const insideContainer =
  '{ cd -- "$0" || { mkdir -p -- "$0" && cd -- "$0"; }; } 2>/dev/null || cd -- "$0" || exit; echo started >&3; exec env -i -- "$@" 3>&-';

export interface ApptainerStart {
  readonly program: ApptainerProgram;
  readonly launcher: Launcher;
  readonly limits: Limits;
}

/** A container's processes; the group's end is that of the last one. */
export async function startByApptainer(
  engine: ApptainerStart,
  image: LoadedImage,
  spec: ContainerSpec,
): Promise<Group> {
  const { program, launcher, limits } = engine;
  const command = await toCommand(program, image, spec);
  const become = spec.stdin === undefined ? becomeEngine : becomeEngineWithPipe;
  const errors = overhear(spec.stderr);
  const [stdout, stderr] = [await openOutput(spec.stdout), await openOutput(errors.target)];
  const [up, down] = [await openPipe(), await openBackPipe()];
  const streams = toDraining([stdout, stderr]);
  try {
    const launched = await launcher.launch({
      command: ['sh', '-c', beforeEngine + become, join(spec.scratchDir, 'stdin'), ...command],
      environment: toEngineEnvironment(program, spec),
      cwd: '/',
      stdin: spec.stdin ?? '/dev/null',
      stdout: stdout.path,
      stderr: stderr.path,
      control: { up: up.path, down: down.path },
    });
    limits.confine(launched.pid);
    down.write('go\n');
    if (await openChannel(up.reader).readUntil(/^started\n/)) return { ...streams, ...toGroup(launched) };
    killGroup(launched.pid);
    const exitCode = await launched.ended;
    await Promise.race([streams.drained.catch(() => {}), setTimeout(drainMs)]);
    throw toStartError(program, (await errors.lastLine()) || `it ended with ${exitCode} and said nothing`);
  } catch (error) {
    streams.abandonOutput();
    up.reader.destroy();
    throw error;
  } finally {
    down.close();
  }
}

const drainMs = 500;

async function toCommand(program: ApptainerProgram, image: LoadedImage, spec: ContainerSpec): Promise<string[]> {
  const environment = toContainerEnvironment(image, spec);
  if (spec.gpu) environment.LD_LIBRARY_PATH = [environment.LD_LIBRARY_PATH, gpuLibraries].filter(Boolean).join(':');
  return [
    ...[program.cli.program, ...program.cli.globalArgs, 'exec'],
    ...(isRoot() ? ['--no-privs'] : []),
    ...(canMountSif(program) ? [] : ['--unsquash']),
    ...['--cleanenv', '--contain', '--no-home', '--pid', '--ipc', '--no-mount', 'bind-paths'],
    ...(spec.readOnlyRoot ? [] : ['--writable-tmpfs']),
    ...toNetworkArgs(spec),
    ...(spec.gpu ? [spec.gpu.stack === 'cuda' ? '--nv' : '--rocm'] : []),
    ...(await planBinds(spec)).flatMap((bind) => ['--mount', toMountOption(bind)]),
    ...['--pwd', '/', image.reference, '/bin/sh', '-c', insideContainer, spec.workingDir],
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...spec.command,
  ];
}

function toNetworkArgs({ network, networkName }: ContainerSpec): string[] {
  if (!network) return ['--net', '--network', 'none'];
  return networkName === undefined ? [] : ['--net', '--network', networkName];
}

/** Where `--nv` and `--rocm` put the libraries of the driver. */
const gpuLibraries = '/.singularity.d/libs';

/** An ordinary user's apptainer mounts the SIF by FUSE; where it may not, it unpacks it for each container. */
function canMountSif({ name }: ApptainerProgram): boolean {
  if (isRoot() || name !== 'apptainer') return true;
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const toEngineEnvironment = ({ cli }: ApptainerProgram, { scratchDir }: ContainerSpec): Record<string, string> => ({
  ...cli.environment,
  APPTAINER_TMPDIR: scratchDir,
  SINGULARITY_TMPDIR: scratchDir,
});

function toGroup({ pid, ended }: Launched): Pick<Group, 'ended' | 'kill'> {
  let isOver = false;
  return {
    ended: ended.then(async (exitCode) => {
      isOver = true;
      await untilGone(pid);
      return { exitCode };
    }),
    kill() {
      if (!isOver) killGroup(pid);
    },
  };
}

/**
 * The launcher killed what was left of the group, the first process of the container among it; that one ends when the kernel
 * has ended all the others.
 */
async function untilGone(group: number): Promise<void> {
  for (let waitMs = 1; waitMs < 4096 && hasMembers(group); waitMs *= 2) await setTimeout(waitMs);
}

/** Whether a process of the group runs. The machine's first process may let those that have ended lie for a while. */
function hasMembers(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isMember(name, group));
}

/** proc(5), `/proc/PID/stat`: after the name come the state, the parent and the group. */
function isMember(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, , ofGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state !== 'Z' && state !== 'X' && Number(ofGroup) === group;
  } catch {
    return false;
  }
}

function toStartError({ name }: ApptainerProgram, said: string): Error {
  const words = said.replace(/^(FATAL|ERROR):\s*/, '');
  return executorError('executor/start-failed', `${name} did not start the container: ${words}`, {
    hint: explainRefusal(words),
  });
}

const cures: readonly (readonly [RegExp, string])[] = [
  [
    /user namespace|unshare|clone.*not permitted/i,
    'allow user namespaces (as root: sysctl user.max_user_namespaces=10000)',
  ],
  [
    /network requires root/i,
    'leave the name of the network out: apptainer gives ordinary users none but "none" and the machine\'s own',
  ],
  [/squashfuse|fuse/i, 'install fuse3 and squashfuse, and let this user open /dev/fuse'],
  [/\/bin\/sh/, 'with apptainer an image needs /bin/sh and env; choose another executor for this one'],
];

const explainRefusal = (words: string): string =>
  cures.find(([pattern]) => pattern.test(words))?.[1] ??
  'look at the messages of the engine, which are on the standard error of the container';
