import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Container, hostImage } from '../api/records.ts';
import type { ContainerSettings, ContainerSpec, LoadedImage, StreamTarget } from '../executor/port.ts';
import { crunchError } from './errors.ts';
import type { ContainerLogs } from './logs/container-logs.ts';
import { makeParents } from './mounts/mount-point.ts';
import type { Place } from './mounts/places.ts';
import type { MountPlan } from './mounts/plan.ts';
import { toExecutorId } from './owner.ts';
import { relativeTo } from './paths.ts';

export interface SpecOptions {
  readonly container: Container;
  readonly plan: MountPlan;
  readonly place: Place;
  readonly image: LoadedImage;
  readonly stdin: string | undefined;
  readonly executorDir: string;
  readonly logs: ContainerLogs;
  readonly settings?: ContainerSettings | undefined;
  /** `PATH` of a container on the host. */
  readonly hostPath: string;
  /** What a container gets that may use the cluster. */
  readonly apiEnvironment: Readonly<Record<string, string>>;
}

export interface OpenSpec {
  readonly container: ContainerSpec;
  /** Resolves when all that came through the streams is in the log. */
  endStreams(): Promise<void>;
}

/** The record in the executor's terms. */
export async function toSpec(options: SpecOptions): Promise<OpenSpec> {
  const { container, plan, place, image, stdin } = options;
  const streams: Writable[] = [];
  const open = (writable: Writable): StreamTarget => {
    streams.push(writable);
    return { kind: 'stream', writable };
  };
  const onDisk = (path: string): string => makeParents(place.outputDir, relativeTo(path, place.outputPath));
  const target = (name: 'stdout' | 'stderr'): StreamTarget => {
    const path = plan[name];
    return path === undefined ? open(options.logs.stream(`${name}.txt`)) : { kind: 'file', path: onDisk(path) };
  };
  /** Of two that write to one file each would overwrite what the other wrote. Who writes is told of errors. */
  const isShared = plan.stdout !== undefined && plan.stdout === plan.stderr;
  const shared = isShared ? open(createWriteStream(onDisk(plan.stdout)).on('error', () => {})) : undefined;
  const { ram, vcpus, gpu, API } = container.runtime_constraints;
  const command = [...image.entrypoint, ...container.command.map(place.literal)];
  const environment = toEnvironment(options);
  checkWords(container, [...command, ...image.environment, ...Object.entries(environment).flat()]);
  const spec: ContainerSpec = {
    ...options.settings,
    id: toExecutorId(container.uuid),
    command,
    workingDir: await toWorkingDir(options),
    environment,
    binds: await place.binds(),
    tmpfs: [],
    network: API === true,
    stdout: shared ?? target('stdout'),
    stderr: shared ?? target('stderr'),
    scratchDir: options.executorDir,
    ...(ram > 0 && { ramBytes: ram }),
    ...(vcpus > 0 && { vcpus }),
    ...(gpu && gpu.device_count > 0 && { gpu: { stack: gpu.stack, deviceCount: gpu.device_count } }),
    ...(stdin !== undefined && { stdin }),
  };
  return { container: spec, endStreams: async () => void (await Promise.all(streams.map(endStream))) };
}

/** No program can be given a zero byte (execve(2)): what passes words on would cut them there, or take the rest for other words. */
function checkWords({ uuid }: Container, words: readonly string[]): void {
  const bad = words.find((word) => word.includes('\0'));
  if (bad === undefined) return;
  throw crunchError(
    'crunch/bad-record',
    `expected a command and variables without zero bytes, got ${JSON.stringify(bad).slice(0, 200)}`,
    {
      hint: 'pass such content in a file',
      where: { container: uuid },
    },
  );
}

/** `.` is the image's own working directory; on the host, which has none, the output directory. */
async function toWorkingDir({ container, place, image }: SpecOptions): Promise<string> {
  const host = container.container_image === hostImage;
  if (container.cwd === '' || container.cwd === '.') return host ? place.outputDir : image.workingDir || '/';
  const path = place.literal(container.cwd);
  const isMissing = host && path !== place.outputDir && path.startsWith(dirname(place.outputDir));
  if (isMissing) await mkdir(path, { recursive: true });
  return path;
}

function toEnvironment({ container, place, hostPath, apiEnvironment }: SpecOptions): Record<string, string> {
  const given = Object.entries(container.environment).map(([name, value]) => [name, place.literal(value)] as const);
  const base = container.container_image === hostImage ? { PATH: hostPath } : {};
  return { ...base, ...Object.fromEntries(given), ...apiEnvironment };
}

async function endStream(stream: Writable): Promise<void> {
  if (stream.writableEnded) return finished(stream);
  await new Promise<void>((resolve, reject) => {
    stream.end((error?: Error | null) => (error ? reject(error) : resolve()));
  });
}
