import { setTimeout } from 'node:timers/promises';
import { executorError } from '../errors.ts';
import type { ContainerExit, ContainerSpec, LoadedImage, RunningContainer } from '../port.ts';
import { type Child, type ChildEnd, startChild } from '../process/child.ts';
import { toContainer } from '../process/container.ts';
import { callCli, type EngineCli, toLine } from './cli.ts';
import { overhear } from './overhear.ts';
import { toName, toPassedEnvironment, toRunArgs } from './run-args.ts';
import { type EngineState, readState } from './state.ts';

export interface EngineStart {
  readonly cli: EngineCli;
  /** Options of `run` beside the common ones. */
  readonly runArgs: readonly string[];
  readonly maxProcesses: number;
}

const pollMs = 100;
const drainMs = 500;

/** Starts a container by `run` in the foreground: its program carries the streams, the engine's state tells the end. */
export async function startByEngine(
  engine: EngineStart,
  image: LoadedImage,
  spec: ContainerSpec,
): Promise<RunningContainer> {
  const { cli } = engine;
  const name = toName(spec.id);
  const stderr = overhear(spec.stderr);
  const child = await startChild({
    command: [
      ...([cli.program, ...cli.globalArgs, 'run'] as [string, ...string[]]),
      ...toRunArgs(spec, engine.maxProcesses),
      ...engine.runArgs,
      ...['--entrypoint', '', image.reference, ...spec.command],
    ],
    environment: { ...toPassedEnvironment(spec), ...cli.environment },
    stdout: spec.stdout,
    stderr: stderr.target,
    ...(spec.stdin === undefined ? {} : { stdin: spec.stdin }),
  });
  const run = { cli, name, child, ended: child.ended, lastLine: stderr.lastLine };
  const remove = (): Promise<unknown> => callCli(cli, ['rm', '--force', '--volumes', name]);
  try {
    await untilStarted(run);
  } catch (error) {
    await remove();
    throw error;
  }
  return toEngineContainer(run, remove);
}

interface EngineRun {
  readonly cli: EngineCli;
  readonly name: string;
  readonly child: Child;
  readonly ended: Promise<ChildEnd>;
  /** Of the engine's messages, which come on the container's standard error. */
  readonly lastLine: () => Promise<string>;
}

/** Resolves when the command runs, has run, or is one that shells answer with 126 or 127. */
async function untilStarted(run: EngineRun): Promise<void> {
  const { cli, name, ended } = run;
  for (;;) {
    const end = await Promise.race([ended, setTimeout(pollMs)]);
    if (end?.exitCode === 0) return;
    const state = await readState(cli, name);
    if (state?.hasStarted) return;
    if (end === undefined) continue;
    if (state && isCommandError(state)) return;
    throw await toStartError(run, end.exitCode, state);
  }
}

/** In the engine's own words: those of its state, or the last that its program said. */
async function toStartError({ cli, child, lastLine }: EngineRun, exitCode: number, state: EngineState | undefined) {
  await Promise.race([child.drained.catch(() => {}), setTimeout(drainMs)]);
  const words = toLine(state?.error || (await lastLine()) || `it ended with ${exitCode} and said nothing`);
  return executorError('executor/start-failed', `${cli.program} did not start the container: ${words}`, {
    hint: cli.explain?.(words) ?? 'the message is from the engine; try it by hand with `run --rm`',
  });
}

/** runc and crun on an `execve` that failed. */
const isCommandError = ({ exitCode, error }: EngineState): boolean =>
  (exitCode === 126 || exitCode === 127) && !/chdir|mount/i.test(error);

function toEngineContainer(run: EngineRun, remove: () => Promise<unknown>): RunningContainer {
  let stopped: Promise<void> | undefined;
  let isOver = false;
  const ended = run.ended.then((end) => {
    isOver = true;
    return end;
  });
  // The engine may not have made the container yet: once is not enough.
  const stop = async (): Promise<void> => {
    while (!isOver) {
      await remove();
      await Promise.race([ended, setTimeout(pollMs)]);
    }
  };
  const child: Child = {
    ...run.child,
    ended,
    kill() {
      if (!isOver) stopped ??= stop();
    },
  };
  return toContainer(child, {
    finish: (end) => (stopped ? Promise.resolve(killedExit) : toExit(run, end)),
    release: async () => void (await remove()),
  });
}

const killedExit = { exitCode: 137, signal: 'SIGKILL' };

async function toExit({ cli, name }: EngineRun, { exitCode }: ChildEnd): Promise<Partial<ContainerExit>> {
  if (exitCode === 0) return {};
  const state = await readState(cli, name);
  if (state) return { exitCode: state.exitCode, outOfMemory: state.outOfMemory && state.exitCode !== 0 };
  throw executorError('executor/engine-lost', `${cli.program} lost the container ${name}: it ended with ${exitCode}`, {
    hint: 'check that the engine runs; the step can be run again',
    retryable: true,
  });
}
