import type { Limits } from '../limits/limits.ts';
import { type Channel, openChannel } from '../process/channel.ts';
import { killGroup } from '../process/child.ts';
import type { Launched, Launcher } from '../process/launcher.ts';
import { openOutput, toDraining } from '../process/output.ts';
import { type BackPipe, openBackPipe, openPipe } from '../process/pipes.ts';
import { type CpuSeconds, type Init, killedEnd, killProcess, type StartOptions, toStartError } from './start.ts';
import type { UserNamespace } from './user-namespace.ts';

export interface ShellStart extends StartOptions {
  readonly namespace: UserNamespace;
  /** File name of the first process's program, in `scratch`. */
  readonly script: string;
  readonly network: boolean;
  /** What starts it in a network of this machine that has a name; nothing: in the machine's own. */
  readonly joinNetwork: readonly string[];
  /** The first process is under them before it starts anything. */
  readonly limits?: Limits | undefined;
}

/** Starts a container's first process by programs of this machine, and resolves when it is about to start the command. */
export async function startByShell(launcher: Launcher, options: ShellStart): Promise<Init> {
  const { namespace, network, limits } = options;
  const [stdout, stderr] = [await openOutput(options.stdout), await openOutput(options.stderr)];
  const [up, down] = [await openPipe(), await openBackPipe()];
  try {
    const child = await launcher.launch({
      command: [
        ...options.joinNetwork,
        ...namespace.join,
        ...['unshare', '--mount', '--pid', '--ipc', '--uts', ...(network ? [] : ['--net'])],
        ...['--fork', '--kill-child', 'sh', options.script],
      ],
      cwd: options.scratch,
      stdin: options.stdin ?? '/dev/null',
      stdout: stdout.path,
      stderr: stderr.path,
      control: { up: up.path, down: down.path },
    });
    const init = await handshake(child, openChannel(up.reader), down, limits);
    down.close(child.ended);
    return { ...init, ...toDraining([stdout, stderr]), ...(limits && { limits }) };
  } catch (error) {
    for (const stream of [stdout, stderr]) stream.abandon();
    up.reader.destroy();
    down.close();
    await limits?.remove();
    throw error;
  }
}

async function handshake(child: Launched, channel: Channel, down: BackPipe, limits: Limits | undefined) {
  const fail = async (): Promise<never> => {
    killGroup(child.pid);
    await child.ended;
    throw toStartError(channel.said());
  };
  const ready = (await channel.readUntil(/^ready (\d+)\n/)) ?? (await fail());
  const firstPid = Number(ready[1]);
  limits?.confine(firstPid);
  down.write('go\n');
  if ((await channel.readUntil(/\nstarted\n/)) === undefined) await fail();
  const cpu = channel.ended.then(() => parseTimes(channel.said()));
  let isOver = false;
  return {
    cpu,
    gone: child.ended.catch(() => {}),
    ended: child.ended.then(async (exitCode) => {
      isOver = true;
      return (await cpu) === undefined ? killedEnd : { exitCode };
    }),
    kill() {
      if (!isOver) killProcess(firstPid);
    },
  };
}

/** Output of the shell's `times`: user and system time, of itself, then of its children. */
function parseTimes(said: string): CpuSeconds | undefined {
  const times = [...said.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  const [, , user, system] = times;
  return user === undefined || system === undefined ? undefined : { user, system };
}
