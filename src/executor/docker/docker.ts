import type { EngineCli } from '../engine/cli.ts';
import { createImages } from '../engine/images.ts';
import { reapByEngine } from '../engine/reap.ts';
import { createRemover } from '../engine/remove.ts';
import { toLimitArgs } from '../engine/run-args.ts';
import { startByEngine } from '../engine/start.ts';
import { createVersionReader } from '../engine/version.ts';
import type { ContainerSpec, Executor } from '../port.ts';
import { startFiles } from './files.ts';

export interface DockerOptions {
  /** Of the `docker` program: PATH, HOME, DOCKER_HOST and what else it reads. */
  readonly environment: Readonly<Record<string, string>>;
  readonly program?: string;
  /** Processes and threads that one container may have at a time; 2048 unless said. */
  readonly maxProcesses?: number;
}

/** Runs containers by the docker daemon that the program talks to. */
export function createDockerExecutor(options: DockerOptions): Executor {
  const cli: EngineCli = {
    program: options.program ?? 'docker',
    globalArgs: [],
    environment: options.environment,
    hint: 'install docker, start its daemon, and let this user talk to it; or choose another executor',
  };
  const maxProcesses = options.maxProcesses ?? 2048;
  const images = createImages('docker', cli);
  const version = createVersionReader(cli, ['version', '--format', '{{.Server.Version}}'], 'docker');
  const doubt = (): void => {
    images.forget();
    version.doubt();
  };
  const engine = { cli, images, doubt, remover: createRemover(cli) };
  return {
    name: 'docker',
    runtime: version.read,
    loadImage: (image, signal) =>
      images.load(image, signal).catch((error: unknown) => {
        doubt();
        throw error;
      }),
    async start(image, spec) {
      const { fileArgs, readFirst } = startFiles(spec.scratchDir);
      const runArgs = ['--init', ...toLimitArgs(spec, maxProcesses), ...toGpuArgs(spec), ...fileArgs];
      return startByEngine({ ...engine, runArgs, readFirst }, image, spec);
    },
    reap: (isOwned) => reapByEngine(cli, isOwned),
  };
}

function toGpuArgs({ gpu }: ContainerSpec): string[] {
  if (gpu === undefined) return [];
  if (gpu.stack === 'cuda') return ['--gpus', String(gpu.deviceCount)];
  return ['--device', '/dev/kfd', '--device', '/dev/dri', '--group-add', 'video'];
}
