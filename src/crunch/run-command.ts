import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { type Container, hostImage, type RuntimeStatus } from '../api/records.ts';
import { toMessage } from '../core/errors.ts';
import { formatBytes } from '../core/units.ts';
import {
  type BindMount,
  type ContainerExit,
  containerExecutors,
  type Executor,
  type ExecutorName,
  type LoadedImage,
  type RunningContainer,
} from '../executor/port.ts';
import { diskLimits, withDiskLimits } from './disk-limit.ts';
import type { Ending } from './ending.ts';
import { crunchError } from './errors.ts';
import type { Life } from './life.ts';
import { loadImage } from './load-image.ts';
import { checkInputs } from './mounts/check-inputs.ts';
import { createContainerPlace, createHostPlace, type Place } from './mounts/places.ts';
import { type MountPlan, planMounts } from './mounts/plan.ts';
import { stageMounts, stageStdin } from './mounts/stage.ts';
import { collectOutput } from './output/collect.ts';
import { type ContainerDirs, containerDirs, leaveDirs, removeDirs } from './owner.ts';
import { hostPrefix, relativeTo } from './paths.ts';
import { reportRunning } from './report-running.ts';
import { saveOutput } from './save-output.ts';
import { toSpec } from './spec.ts';
import { startInTurn } from './start-in-turn.ts';
import { withTimeLimit } from './time-limit.ts';
import { untilTurn } from './turn.ts';
import { startSampling, toUsageFigures, writeSample } from './usage.ts';

/** Runs the command of a container with an executor, from its image to its saved output. */
export async function runCommand(life: Life): Promise<Ending> {
  const { container, deps, signal } = life;
  const plan = planMounts(container, life.secretMounts);
  const executor = await deps.executors(chooseExecutor(container, deps.defaultExecutor));
  const dirs = await containerDirs(deps, container.uuid, executor.name);
  const image = await loadImage(executor, life);
  signal.throwIfAborted();
  const empty = container.container_image === hostImage ? emptyDirectories(plan) : [];
  try {
    dirs.spares.open(dirs.place, empty);
    if (container.container_image !== hostImage) mkdirSync(dirs.executor);
    return await runInDirs(life, { plan, executor, image, dirs, ready: empty });
  } finally {
    life.afterwards(async () => {
      if (deps.leaveScratch) await leaveDirs(dirs, deps);
      else dirs.spares.takeBack(dirs.place, empty);
      await removeDirs(dirs, deps.logger);
    });
  }
}

function chooseExecutor(container: Container, defaultExecutor: ExecutorName): ExecutorName {
  if (container.container_image === hostImage) return 'host';
  const asked = container.scheduling_parameters['hm:executor'];
  if (asked === undefined) return defaultExecutor;
  const known = containerExecutors.find((name) => name === asked);
  if (known) return known;
  const expected = `expected ${containerExecutors.join(', ')} as hm:executor, got ${JSON.stringify(asked)}`;
  throw crunchError('crunch/bad-record', `container ${container.uuid}: ${expected}`, {
    hint: 'name one of them in scheduling_parameters, or leave it out',
    where: { container: container.uuid, field: 'scheduling_parameters' },
  });
}

/** What every step has in the directory that a host container sees, as the first thing: its output and its tmp directory. */
function emptyDirectories({ outputPath, mounts }: MountPlan): string[] {
  const targets = mounts.filter(({ mount }) => mount.kind === 'tmp').map(({ target }) => target);
  const names = [...new Set([outputPath, ...targets])].map((path) => relativeTo(path, hostPrefix));
  return names.filter((name) => name !== '' && !name.includes('/'));
}

interface Prepared {
  readonly plan: MountPlan;
  readonly executor: Executor;
  readonly image: LoadedImage;
  readonly dirs: ContainerDirs;
  /** Names of the empty directories that its place holds already. */
  readonly ready: readonly string[];
}

async function runInDirs(life: Life, prepared: Prepared): Promise<Ending> {
  const { container, deps, logs, signal } = life;
  const { plan, dirs, ready } = prepared;
  const { entrypoint } = prepared.image;
  const createPlace = container.container_image === hostImage ? createHostPlace : createContainerPlace;
  const { outputPath } = plan;
  const place = await createPlace({ outputPath, scratchDir: dirs.place, secretDir: dirs.secrets, ready });
  await stageMounts(plan, place, deps, signal);
  const stdin = await stageStdin(plan, place, deps, signal);
  const spec = await toSpec({
    container,
    plan,
    place,
    image: prepared.image,
    stdin,
    executorDir: dirs.executor,
    logs,
    settings: deps.settings,
    hostPath: deps.hostPath,
    apiEnvironment: await apiEnvironment(life),
  });
  if (deps.settings?.asImageUser) openToAll(spec.container.binds);
  await untilTurn(life);
  const { startNs, startMs, report, running } = await startInTurn(prepared.executor, signal, async () => ({
    startNs: deps.clock.nowNs(),
    startMs: Date.now(), // As the file system has it, which follows the machine's clock wherever that is set.
    report: reportRunning(life),
    running: await prepared.executor.start(prepared.image, spec.container),
  }));
  let exit: ContainerExit;
  try {
    const { command } = spec.container;
    logs.line(
      entrypoint.length === 0
        ? 'the command has started'
        : `started with the image's entrypoint: ${JSON.stringify(command)}`,
    );
    report.onRefused(() => void running.stop().catch(() => {}));
    const limits = diskLimits(container.scheduling_parameters, plan, place);
    exit = await withTimeLimit(container, signal, (timed) =>
      withDiskLimits(limits, timed, (limited) => waitForExit(running, life, limited)),
    );
    deps.onEnded?.();
    life.afterwards(() => closeQuietly(running, life));
  } catch (error) {
    await closeQuietly(running, life);
    const ended = await running.exit.catch(() => undefined);
    if (ended?.couldWriteInputs)
      await checkInputs(place, deps.trees, startMs).catch((also) => logs.line(toMessage(also)));
    throw error;
  } finally {
    await spec.endStreams();
  }
  await report.settle();
  if (exit.couldWriteInputs) await checkInputs(place, deps.trees, startMs);
  writeSample(exit.usage, logs);
  const usage = toUsageFigures(exit.usage, startNs, deps.clock);
  return complete(life, place, exit, { usage, ...(entrypoint.length > 0 && { entrypoint }) });
}

/** The user of an image is anybody. */
function openToAll(binds: readonly BindMount[]): void {
  for (const { source, readOnly } of binds) if (!readOnly && statSync(source).isDirectory()) chmodSync(source, 0o777);
}

async function apiEnvironment({ container, deps }: Life): Promise<Readonly<Record<string, string>>> {
  return container.runtime_constraints.API ? ((await deps.apiEnvironment?.(container.uuid)) ?? {}) : {};
}

/** The result stands, whatever the engine leaves behind: that is for `reapLeftovers`. */
async function closeQuietly(running: RunningContainer, { container, deps }: Life): Promise<void> {
  try {
    await running.close();
  } catch (error) {
    deps.logger.warn(`container ${container.uuid} could not be cleared away: ${toMessage(error)}`);
  }
}

/** After the signal it still waits for the processes to end, but not for ever. */
async function waitForExit(running: RunningContainer, life: Life, signal: AbortSignal): Promise<ContainerExit> {
  const endSampling = startSampling(running, life.logs, life.deps.sampleIntervalMs);
  let stop = (): void => {};
  let giveUp: NodeJS.Timeout | undefined;
  try {
    return await new Promise<ContainerExit>((resolve, reject) => {
      stop = () => {
        running.stop().catch(reject);
        giveUp = setTimeout(() => reject(signal.reason), stopTimeoutMs);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      running.exit.then((exit) => (signal.aborted ? reject(signal.reason) : resolve(exit)), reject);
    });
  } finally {
    // An abort after the end would hold the process for as long as it waits for a container that has ended.
    signal.removeEventListener('abort', stop);
    clearTimeout(giveUp);
    endSampling();
  }
}

const stopTimeoutMs = 30_000;

async function complete(life: Life, place: Place, exit: ContainerExit, told: RuntimeStatus): Promise<Ending> {
  const { container, deps, logs, signal } = life;
  const warnings: string[] = [];
  const warn = (text: string): void => {
    logs.line(`warning: ${text}`);
    warnings.push(text);
  };
  const isStarved = exit.outOfMemory && exit.exitCode !== 0;
  if (exit.outOfMemory && !isStarved)
    warn(`a process was ended because memory ran out, and the command went on: ${memoryLimit(container)}`);
  const collection = await collectOutput({ place, globs: container.output_glob, blocks: deps.blocks, warn, signal });
  const outputKept = saveOutput(container, collection, deps);
  // Whoever waits for it does so later.
  outputKept.catch(() => {});
  const [warning] = warnings;
  const status: RuntimeStatus = {
    ...told,
    ...(place.kind === 'host' && { hostDirectory: place.literal(hostPrefix) }),
    ...(exit.exitCode === 137 && { outOfMemory: false }),
    ...(isStarved && outOfMemory(container)),
    ...(warning !== undefined && { warning, warningDetail: warnings.slice(0, 20).join('\n') }),
  };
  const output = collection.portableDataHash;
  return { state: 'Complete', exitCode: exit.exitCode, output, outputKept, outputProperties: {}, status };
}

const memoryLimit = ({ runtime_constraints: { ram } }: Container): string =>
  ram > 0 ? `the limit is ${formatBytes(ram)}` : 'the machine has no more';

function outOfMemory(container: Container): RuntimeStatus {
  return {
    outOfMemory: true,
    error: `the command was ended because it ran out of memory: ${memoryLimit(container)}`,
    errorDetail: 'hint: raise ramMin of its ResourceRequirement',
  };
}
