import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { executorError } from '../../src/executor/errors.ts';
import type { ContainerExit, ContainerSpec, Executor, LoadedImage, StreamTarget } from '../../src/executor/port.ts';

/** Faults on purpose, and what a container of the fake has for an image. */
export interface FakeExecutorOptions {
  readonly name?: Executor['name'];
  readonly failing?: 'runtime' | 'loadImage' | 'start' | 'exit' | 'stop' | 'close';
  readonly outOfMemory?: boolean;
  readonly workingDir?: string;
  readonly entrypoint?: readonly string[];
  /** Called before each step of a container's life. */
  readonly onPhase?: (phase: 'loadImage' | 'start' | 'started' | 'exited' | 'close') => void | Promise<void>;
}

export interface FakeExecutor extends Executor {
  /** Ids of containers that are not closed. */
  readonly open: Set<string>;
  readonly loaded: string[];
  readonly specs: ContainerSpec[];
}

/**
 * A working executor without isolation: the command runs on the host, and every bind target in its arguments, environment
 * and working directory is replaced by the source that is bound there.
 */
export function createFakeExecutor(options: FakeExecutorOptions = {}): FakeExecutor {
  const open = new Set<string>();
  const loaded: string[] = [];
  const specs: ContainerSpec[] = [];
  const fail = (at: FakeExecutorOptions['failing'], error: () => Error): void => {
    if (options.failing === at) throw error();
  };
  return {
    name: options.name ?? 'sandbox',
    open,
    loaded,
    specs,
    async runtime() {
      fail('runtime', () => executorError('executor/unavailable', 'the engine is not there', { hint: 'install it' }));
      return 'fake 1.0';
    },
    async loadImage({ image }) {
      await options.onPhase?.('loadImage');
      fail('loadImage', () => executorError('executor/load-failed', `cannot load image ${image.imageHash}`));
      loaded.push(image.imageHash);
      const { Env = [], WorkingDir = '', Entrypoint } = image.config.config ?? {};
      const workingDir = options.workingDir ?? WorkingDir;
      return {
        executor: 'sandbox',
        reference: image.imageHash,
        environment: Env,
        workingDir,
        entrypoint: options.entrypoint ?? Entrypoint ?? [],
      };
    },
    async start(image, spec) {
      await options.onPhase?.('start');
      fail('start', () => executorError('executor/start-failed', 'the engine refused to start the container'));
      specs.push(spec);
      open.add(spec.id);
      const running = await startProcess(image, spec, options);
      await options.onPhase?.('started');
      return {
        ...running,
        async close() {
          await options.onPhase?.('close');
          fail('close', () => executorError('executor/engine-lost', 'the engine is gone'));
          await running.stop();
          await running.exit.catch(() => {});
          open.delete(spec.id);
        },
      };
    },
    async reap(isOwned) {
      for (const id of open) if (!isOwned(id)) open.delete(id);
    },
  };
}

async function startProcess(image: LoadedImage, spec: ContainerSpec, options: FakeExecutorOptions) {
  const onHost = toHost(spec);
  const [program = '', ...args] = spec.command.map(onHost);
  const inherited = Object.fromEntries(image.environment.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const given = Object.entries(spec.environment).map(([name, value]) => [name, onHost(value)]);
  const env = { PATH: process.env.PATH, ...inherited, ...Object.fromEntries(given) };
  const stdin = spec.stdin === undefined ? undefined : await open(spec.stdin);
  const child = spawn(program, args, {
    cwd: onHost(spec.workingDir),
    env,
    detached: true,
    stdio: [stdin?.fd ?? 'ignore', 'pipe', 'pipe'],
  });
  const flows = Promise.all([flow(child.stdout, spec.stdout), flow(child.stderr, spec.stderr)]);
  flows.catch(() => {});
  const stop = async (): Promise<void> => {
    if (options.failing === 'stop') throw executorError('executor/engine-lost', 'the engine does not answer');
    if (child.pid !== undefined && child.exitCode === null) killTree(child.pid);
  };
  const exit = new Promise<ContainerExit>((resolve, reject) => {
    child.once('error', async (error: NodeJS.ErrnoException) => {
      await flows.catch(() => {});
      if (error.code === 'ENOENT') resolve({ exitCode: 127, outOfMemory: false, usage: {} });
      else reject(error);
    });
    child.once('close', async (code, signal) => {
      await flows;
      await stdin?.close();
      await options.onPhase?.('exited');
      if (options.failing === 'exit') return reject(executorError('executor/engine-lost', 'the engine died'));
      const exitCode = signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 0);
      const usage = { peakRamBytes: 1234567, cpuUserSeconds: 0.25, cpuSystemSeconds: 0.125 };
      resolve({ exitCode, ...(signal && { signal }), outOfMemory: options.outOfMemory ?? false, usage });
    });
  });
  exit.catch(() => {});
  return { exit, stop, usage: async () => ({ peakRamBytes: 1000, cpuUserSeconds: 0.1 }) };
}

/** Replaces the longest target first: mounts nest. */
function toHost(spec: ContainerSpec): (text: string) => string {
  const binds = [...spec.binds].sort((a, b) => b.target.length - a.target.length);
  const escaped = binds.map(({ target }) => target.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (binds.length === 0) return (text) => text;
  const pattern = new RegExp(`(?<![\\w.-])(?:${escaped.join('|')})(?![\\w.-])`, 'g');
  const sources = new Map(binds.map(({ target, source }) => [target, source]));
  return (text) => text.replace(pattern, (target) => sources.get(target) ?? target);
}

async function flow(readable: Readable | null, target: StreamTarget): Promise<void> {
  if (!readable) return;
  if (target.kind === 'ignore') readable.resume();
  else await pipeline(readable, target.kind === 'file' ? createWriteStream(target.path) : target.writable);
}

function killTree(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
