import { existsSync } from 'node:fs';
import type { EngineCli } from '../engine/cli.ts';
import { createImages } from '../engine/images.ts';
import { reapByEngine } from '../engine/reap.ts';
import { createRemover } from '../engine/remove.ts';
import { toLimitArgs } from '../engine/run-args.ts';
import { startByEngine } from '../engine/start.ts';
import { readVersion } from '../engine/version.ts';
import type { ContainerSpec, Executor } from '../port.ts';
import { startFiles } from './files.ts';
import { createLimitCheck } from './limits.ts';
import { explainRefusal } from './refusals.ts';

export interface PodmanOptions {
  /** Of the `podman` program: PATH, HOME, XDG_RUNTIME_DIR, CONTAINERS_CONF and what else it reads. */
  readonly environment: Readonly<Record<string, string>>;
  readonly program?: string;
  /** Options before every subcommand, `--root` for one. */
  readonly globalArgs?: readonly string[];
  /** Processes and threads that one container may have at a time; 2048 unless said. */
  readonly maxProcesses?: number;
}

/** Runs containers by podman, as root or rootless. In a rootless one, user 0 is the caller. */
export function createPodmanExecutor(options: PodmanOptions): Executor {
  const cli: EngineCli = {
    program: options.program ?? 'podman',
    globalArgs: options.globalArgs ?? [],
    environment: options.environment,
    hint: 'install podman, or choose another executor',
    removeArgs: ['--ignore'],
    explain: explainRefusal,
  };
  const maxProcesses = options.maxProcesses ?? 2048;
  const images = createImages('podman', cli);
  const engine = { cli, images, doubt: images.forget, remover: createRemover(cli, removedTogether) };
  const canLimit = createLimitCheck(cli);
  let version: string | undefined;
  return {
    name: 'podman',
    // It has no daemon that could go away.
    async runtime() {
      version ??= await readVersion(cli, ['version', '--format', '{{.Client.Version}}'], 'podman');
      return version;
    },
    loadImage: images.load,
    async start(image, spec) {
      const limitArgs = (await canLimit()) ? toLimitArgs(spec, maxProcesses) : [];
      const { fileArgs, readFirst } = startFiles(spec.scratchDir);
      const runArgs = [...limitArgs, ...toUserArgs(spec), ...toInitArgs(), ...toGpuArgs(spec), ...endArgs, ...fileArgs];
      return startByEngine({ ...engine, runArgs, readFirst }, image, spec);
    },
    reap: (isOwned) => reapByEngine(cli, isOwned),
  };
}

const toUserArgs = ({ asImageUser }: ContainerSpec): string[] => (asImageUser ? [] : ['--user', '0:0']);

/** A removal takes as long as a fifth of a start, which waits for it. */
const removedTogether = 8;

/** `rm --force` would ask the command to end, and wait for ten seconds. docker's kills at once. */
const endArgs = ['--stop-timeout', '0'];

const initPrograms = ['/usr/libexec/podman/catatonit', '/usr/bin/catatonit', '/usr/bin/tini', '/usr/bin/docker-init'];

/** Podman's packages do not bring an init along. Without one the command is process 1 and its own signals do not end it. */
function toInitArgs(): string[] {
  const found = initPrograms.find((path) => existsSync(path));
  return found === undefined ? [] : ['--init', '--init-path', found];
}

/** GPUs by the Container Device Interface. */
function toGpuArgs({ gpu }: ContainerSpec): string[] {
  if (gpu === undefined) return [];
  if (gpu.stack === 'rocm') return ['--device', '/dev/kfd', '--device', '/dev/dri'];
  return Array.from({ length: gpu.deviceCount }, (_, index) => ['--device', `nvidia.com/gpu=${index}`]).flat();
}
