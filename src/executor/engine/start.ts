import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { executorError } from '../errors.ts';
import type { ContainerExit, ContainerSpec, LoadedImage, RunningContainer } from '../port.ts';
import { type Child, type ChildEnd, startChild } from '../process/child.ts';
import { toContainer } from '../process/container.ts';
import { answerMs, callCli, type EngineCli, toLine } from './cli.ts';
import { type EngineImages, toSilent } from './images.ts';
import { type Meter, startMeter } from './meter.ts';
import { overhear } from './overhear.ts';
import { type Remover, removeContainers } from './remove.ts';
import { toName, toPassedEnvironment, toRunArgs } from './run-args.ts';
import { type EngineState, type FirstProcess, readState } from './state.ts';

/** What all containers of an executor share. */
export interface Engine {
  readonly cli: EngineCli;
  readonly images: EngineImages;
  /** Something failed: what it has answered before may not hold any more. */
  readonly doubt: () => void;
  readonly remover: Remover;
}

export interface EngineStart extends Engine {
  /** Options of `run` beside the common ones, limits among them. */
  readonly runArgs: readonly string[];
  /** What can be seen of the start without asking the engine. Undefined: nothing yet. */
  readonly readFirst: () => FirstProcess | undefined;
}

const stopMs = 100;
const lookMs = 20;
/** To ask the engine is for one that shows nothing here: it may run on another machine. */
const looksAQuestion = 25;
const drainMs = 500;
const orphanMs = 1000;
const orphanLooks = 20;

/** Starts a container by `run` in the foreground: its program carries the streams, the engine's state tells the end. */
export async function startByEngine(
  engine: EngineStart,
  image: LoadedImage,
  spec: ContainerSpec,
): Promise<RunningContainer> {
  const hasStarted = engine.remover.starting();
  try {
    return await startContainer(engine, image, spec);
  } catch (error) {
    engine.doubt();
    throw error;
  } finally {
    hasStarted();
  }
}

async function startContainer(engine: EngineStart, image: LoadedImage, spec: ContainerSpec): Promise<RunningContainer> {
  const { cli } = engine;
  const name = toName(spec.id);
  const stderr = overhear(spec.stderr);
  const child = await startChild({
    command: [
      ...([cli.program, ...cli.globalArgs, 'run'] as [string, ...string[]]),
      ...toRunArgs(spec),
      ...engine.runArgs,
      ...['--entrypoint', '', image.reference, ...spec.command],
    ],
    environment: { ...toPassedEnvironment(spec), ...cli.environment },
    cwd: spec.scratchDir,
    stdout: spec.stdout,
    stderr: stderr.target,
    ...(spec.stdin === undefined ? {} : { stdin: spec.stdin }),
  });
  const oomFile = join(spec.scratchDir, 'oom');
  const run: EngineRun = { ...engine, name, image: image.reference, child, oomFile, lastLine: stderr.lastLine };
  try {
    const first = await untilStarted(run);
    return toEngineContainer(run, startMeter(first, spec));
  } catch (error) {
    child.kill();
    await removeNow(run);
    throw error;
  }
}

interface EngineRun extends EngineStart {
  readonly name: string;
  /** What the engine was asked to run. */
  readonly image: string;
  readonly child: Child;
  /** Made by podman's conmon, in the folder that it was started in, when memory runs out. */
  readonly oomFile: string;
  /** Of the engine's messages, which come on the container's standard error. */
  readonly lastLine: () => Promise<string>;
}

/** False when the engine does not answer. */
async function removeNow({ cli, name }: EngineRun): Promise<boolean> {
  return removeContainers(cli, [name]).then(
    () => true,
    () => false,
  );
}

/** Resolves when the command runs, has run, or is one that shells answer with 126 or 127; with what is known of it by then. */
async function untilStarted(run: EngineRun): Promise<FirstProcess | undefined> {
  const { cli, name, child, readFirst } = run;
  for (let looks = 1; ; looks += 1) {
    const end = await Promise.race([child.ended, setTimeout(lookMs)]);
    if (end?.exitCode === 0) return undefined;
    const first = readFirst();
    if (first) return first;
    if (end === undefined && looks % looksAQuestion > 0) continue;
    const state = await readState(cli, name);
    if (state?.hasStarted) return state;
    if (end === undefined) continue;
    if (state && isCommandError(state)) return state;
    throw await toStartError(run, end.exitCode, state);
  }
}

/** In the engine's own words: those of its state, or the last that its program said. */
async function toStartError(run: EngineRun, exitCode: number, state: EngineState | undefined) {
  const { cli, child, image, images, lastLine } = run;
  const look = await images.look(image);
  if (look === 'gone') {
    return executorError('executor/image-gone', `${cli.program} has no image ${image} any more`, {
      hint: 'somebody removed it after it was loaded; the step can be run again',
      retryable: true,
    });
  }
  if (look !== 'here') return toSilent(cli, look.silence);
  await Promise.race([child.drained.catch(() => {}), setTimeout(drainMs)]);
  const words = toLine(state?.error || (await lastLine()) || `it ended with ${exitCode} and said nothing`);
  return executorError('executor/start-failed', `${cli.program} did not start the container: ${words}`, {
    hint: cli.explain?.(words) ?? 'the message is from the engine; try it by hand with `run --rm`',
  });
}

/** runc and crun on an `execve` that failed. */
const isCommandError = ({ exitCode, error }: EngineState): boolean =>
  (exitCode === 126 || exitCode === 127) && !/chdir|mount/i.test(error);

function toEngineContainer(run: EngineRun, meter: Meter): RunningContainer {
  let stopped: Promise<void> | undefined;
  let isOver = false;
  const watch = endOrphan(run.child, meter);
  const ended = run.child.ended.then((end) => {
    isOver = true;
    clearInterval(watch);
    return end;
  });
  // The engine may not have made the container yet: once is not enough. What does not answer is ended without it.
  const stop = async (): Promise<void> => {
    while (!isOver) {
      if (!(await removeNow(run))) {
        meter.kill();
        run.child.kill();
      }
      await Promise.race([ended, setTimeout(stopMs)]);
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
    async finish(end) {
      const usage = meter.usage();
      const exit = stopped ? killedExit : await toExit(run, meter, end);
      return { ...exit, usage };
    },
    usage: async () => meter.usage(),
    async release() {
      meter.end();
      await run.remover.remove(run.name);
    },
  });
}

/** An engine that has lost word of the end, as docker when containerd dies, never ends its program: it is ended some seconds after the container. */
function endOrphan(child: Child, meter: Meter): NodeJS.Timeout {
  let looks = 0;
  const look = (): void => {
    looks = meter.isGone() ? looks + 1 : 0;
    if (looks > orphanLooks) child.kill();
  };
  return setInterval(look, orphanMs).unref();
}

const killedExit = { exitCode: 137, signal: 'SIGKILL' };

/** The engine's word counts: its program may have been killed, or have lost the daemon, under a container that runs. */
async function toExit(run: EngineRun, meter: Meter, end: ChildEnd): Promise<Partial<ContainerExit>> {
  const { exitCode } = end;
  if (exitCode === 0) return {};
  const state = await readState(run.cli, run.name).catch(() => undefined);
  if (state && !state.isRunning && state.exitCode === exitCode) {
    return { exitCode, outOfMemory: state.outOfMemory || meter.ranOutOfMemory() || existsSync(run.oomFile) };
  }
  run.doubt();
  const loss = await describeLoss(run, state, end);
  meter.kill();
  await removeNow(run);
  throw executorError('executor/engine-lost', loss, {
    hint: 'check that the engine runs; the step can be run again',
    retryable: true,
  });
}

async function describeLoss({ cli, name }: EngineRun, state: EngineState | undefined, { exitCode, signal }: ChildEnd) {
  // A program that was killed may not have written down that the container runs.
  if (state && (state.isRunning || signal !== undefined))
    return `${cli.program} left the container ${name} alone: its program ended with ${exitCode}`;
  if (state) return `${cli.program} lost the container ${name} while it ran, and ended it`;
  const asked = await callCli(cli, ['container', 'inspect', name], { timeoutMs: answerMs }).catch(() => undefined);
  const isGone = asked !== undefined && /no such (container|object)/i.test(asked.stderr);
  if (isGone) return `${cli.program} has no container ${name} any more: somebody removed it`;
  return `${cli.program} stopped answering while the container ${name} ran`;
}
