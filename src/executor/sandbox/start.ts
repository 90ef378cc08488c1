import { executorError } from '../errors.ts';
import type { StreamTarget } from '../port.ts';
import { type Channel, openChannel } from '../process/channel.ts';
import { type Group, killGroup } from '../process/child.ts';
import type { Launched, Launcher } from '../process/launcher.ts';
import { openOutput, toDraining } from '../process/output.ts';
import { type BackPipe, openBackPipe, openPipe } from '../process/pipes.ts';
import type { UserNamespace } from './user-namespace.ts';

export interface StartOptions {
  readonly namespace: UserNamespace;
  /** File name of the first process's program, in `scratch`. */
  readonly script: string;
  /** The folder that the program's relative paths start from. */
  readonly scratch: string;
  readonly network: boolean;
  /** What starts it in a network of this machine that has a name; nothing: in the machine's own. */
  readonly joinNetwork?: readonly string[];
  readonly stdin?: string;
  readonly stdout: StreamTarget;
  readonly stderr: StreamTarget;
  /** Puts the first process under its limits, before it starts anything. */
  readonly confine?: (pid: number) => void;
  /** Command line that starts the first process in its namespaces. */
  readonly wrapper?: readonly string[];
}

export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** A container's processes. `kill` ends them all; `ended` resolves when the last is gone. */
export interface Init extends Group {
  /** Of all processes that have ended; undefined where the end was violent. Settles with `ended`. */
  readonly cpu: Promise<CpuSeconds | undefined>;
}

/** Starts a container's first process and resolves when it is about to start the command. */
export async function startInit(launcher: Launcher, options: StartOptions): Promise<Init> {
  const [stdout, stderr] = [await openOutput(options.stdout), await openOutput(options.stderr)];
  const [up, down] = [await openPipe(), await openBackPipe()];
  try {
    const child = await launcher.launch({
      command: [
        ...(options.joinNetwork ?? []),
        ...options.namespace.join,
        ...['unshare', '--mount', '--pid', '--ipc', '--uts', ...(options.network ? [] : ['--net'])],
        ...['--fork', '--kill-child', ...(options.wrapper ?? []), 'sh', options.script],
      ],
      cwd: options.scratch,
      stdin: options.stdin ?? '/dev/null',
      stdout: stdout.path,
      stderr: stderr.path,
      control: { up: up.path, down: down.path },
    });
    const init = await handshake(child, openChannel(up.reader), down, options.confine);
    down.close(child.ended);
    return { ...init, ...toDraining([stdout, stderr]) };
  } catch (error) {
    for (const stream of [stdout, stderr]) stream.abandon();
    up.reader.destroy();
    down.close();
    throw error;
  }
}

async function handshake(child: Launched, channel: Channel, down: BackPipe, confine: StartOptions['confine']) {
  const fail = async (): Promise<never> => {
    killGroup(child.pid);
    await child.ended;
    throw toStartError(channel.said());
  };
  const ready = (await channel.readUntil(/^ready (\d+)\n/)) ?? (await fail());
  const firstPid = Number(ready[1]);
  confine?.(firstPid);
  down.write('go\n');
  if ((await channel.readUntil(/\nstarted\n/)) === undefined) await fail();
  const cpu = channel.ended.then(() => parseTimes(channel.said()));
  let isOver = false;
  return {
    cpu,
    ended: child.ended.then(async (exitCode) => {
      isOver = true;
      return (await cpu) === undefined ? killedEnd : { exitCode };
    }),
    kill() {
      if (!isOver) killProcess(firstPid);
    },
  };
}

/** The first process was killed: it had no time for its last words, and unshare(1) says nothing of use. */
const killedEnd = { exitCode: 137, signal: 'SIGKILL' };

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Output of the shell's `times`: user and system time, of itself, then of its children. */
function parseTimes(said: string): CpuSeconds | undefined {
  const times = [...said.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  const [, , user, system] = times;
  return user === undefined || system === undefined ? undefined : { user, system };
}

function toStartError(said: string): Error {
  const text =
    said
      .replace(/^ready.*\n/, '')
      .trim()
      .split('\n')
      .slice(0, 3)
      .join('; ') || 'its first process ended at once';
  if (/No space left/.test(text)) {
    return executorError('executor/no-space', `the container could not be started: ${text}`, {
      hint: 'free some space',
    });
  }
  return executorError('executor/start-failed', `the container could not be started: ${text}`, { hint: hintFor(text) });
}

function hintFor(text: string): string {
  if (/overlay/.test(text)) {
    return 'the scratch folder must lie on a file system that can hold an overlay (ext4, xfs, btrfs, tmpfs); Linux 5.11 or newer';
  }
  if (/proc/.test(text))
    return 'inside another container, start that one with its /proc unmasked, or choose another executor';
  return 'look at the message; it comes from the mount or unshare program of this machine';
}
