import { release } from 'node:os';
import { executorError } from '../errors.ts';
import type { ContainerSpec, Executor, LoadedImage, RunningContainer } from '../port.ts';
import { type Group, killGroup } from '../process/child.ts';
import { toContainer } from '../process/container.ts';
import { createLauncher, type Launcher } from '../process/launcher.ts';
import { openOutput, toDraining } from '../process/output.ts';

const noImage: LoadedImage = { executor: 'host', reference: '', environment: [], workingDir: '', entrypoint: [] };

export interface HostOptions {
  /** Folders that hold what containers share: not even root's commands write to them, where the kernel lets that be arranged. */
  readonly readOnly?: readonly string[];
  readonly launcher?: Launcher;
}

/**
 * Runs the command on this machine, in a process group of its own. The paths of the spec are real ones, so binds, tmpfs,
 * network and memory have no meaning here: what needs them needs a container. A process that leaves its group leaves us.
 */
export function createHostExecutor({ readOnly = [], launcher }: HostOptions = {}): Executor {
  const launchesBy = launcher ?? createLauncher(undefined, isRoot() ? readOnly : []);
  return {
    name: 'host',
    runtime: async () => `host ${process.platform} ${release()}`,
    loadImage: async () => noImage,
    start: (_image, spec) => startOnHost(launchesBy, spec),
    // The launcher ends what a dead runner started.
    reap: async () => {},
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;

async function startOnHost(launcher: Launcher, spec: ContainerSpec): Promise<RunningContainer> {
  if (spec.command.length === 0)
    throw executorError('executor/start-failed', 'the command is empty, expected a program');
  const [stdout, stderr] = [await openOutput(spec.stdout), await openOutput(spec.stderr)];
  try {
    const { pid, ended, isKeptOut } = await launcher.launch({
      command: spec.command,
      environment: spec.environment,
      cwd: spec.workingDir,
      stdin: spec.stdin ?? '/dev/null',
      // As every other executor has it: what a tool writes may depend on it (`wc`).
      pipesStdin: spec.stdin !== undefined,
      stdout: stdout.path,
      stderr: stderr.path,
    });
    let isOver = false;
    const group: Group = {
      ...toDraining([stdout, stderr]),
      ended: ended.then((exitCode) => {
        isOver = true;
        return { exitCode };
      }),
      kill() {
        if (!isOver) killGroup(pid);
      },
    };
    return toContainer(group, {
      finish: async () => (isRoot() && !isKeptOut ? { couldWriteInputs: true } : {}),
    });
  } catch (error) {
    stdout.abandon();
    stderr.abandon();
    throw error;
  }
}
