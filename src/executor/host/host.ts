import { appendFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { release } from 'node:os';
import { executorError } from '../errors.ts';
import type { ContainerSpec, Executor, LoadedImage, RunningContainer, StreamTarget } from '../port.ts';
import { type Child, startChild } from '../process/child.ts';
import { toContainer } from '../process/container.ts';

const noImage: LoadedImage = { executor: 'host', reference: '', environment: [], workingDir: '', entrypoint: [] };

/**
 * Runs the command on this machine, in a process group of its own. The paths of the spec are real ones, so binds, tmpfs,
 * network and memory have no meaning here: what needs them needs a container.
 */
export function createHostExecutor(): Executor {
  return {
    name: 'host',
    runtime: async () => `host ${process.platform} ${release()}`,
    loadImage: async () => noImage,
    start: (_image, spec) => startOnHost(spec),
    reap: async () => {},
  };
}

async function startOnHost(spec: ContainerSpec): Promise<RunningContainer> {
  const [file, ...args] = spec.command;
  if (file === undefined) throw executorError('executor/start-failed', 'the command is empty, expected a program');
  let child: Child;
  try {
    child = await startChild({
      command: [file, ...args],
      environment: spec.environment,
      cwd: spec.workingDir,
      stdout: spec.stdout,
      stderr: spec.stderr,
      ...(spec.stdin === undefined ? {} : { stdin: spec.stdin }),
    });
  } catch (error) {
    return toRefusal(error, file, spec);
  }
  return toContainer(child);
}

/** What a shell says of a command that it cannot run: 127 for none, 126 for one that is not a program. */
async function toRefusal(error: unknown, file: string, spec: ContainerSpec): Promise<RunningContainer> {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isCommand = syscall?.startsWith('spawn') && (await isDirectory(spec.workingDir));
  if (!isCommand || (code !== 'ENOENT' && code !== 'EACCES')) {
    throw executorError('executor/start-failed', `"${file}" could not be started in ${spec.workingDir}: ${code}`, {
      hint: 'check that the working directory and the input files exist',
      cause: error,
    });
  }
  const [exitCode, reason] = code === 'ENOENT' ? [127, 'command not found'] : [126, 'permission denied'];
  if (spec.stdout.kind === 'file') await write(spec.stdout, '');
  await write(spec.stderr, `${file}: ${reason}\n`);
  return {
    exit: Promise.resolve({ exitCode, outOfMemory: false, usage: {} }),
    stop: async () => {},
    usage: async () => ({}),
    close: async () => {},
  };
}

const isDirectory = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
};

async function write(target: StreamTarget, text: string): Promise<void> {
  if (target.kind === 'file') appendFileSync(target.path, text);
  if (target.kind === 'stream') await new Promise((resolve) => target.writable.write(text, resolve));
}
