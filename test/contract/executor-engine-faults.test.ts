import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callCli } from '../../src/executor/engine/cli.ts';
import type { ContainerSpec, Executor, LoadableImage, RunningContainer } from '../../src/executor/port.ts';
import { toContainerSpec } from '../fakes/container-spec.ts';
import { describeWith, environment, probeEngine } from './engines.ts';
import { toLoadableImage } from './executor-images.ts';
import { file, toLayer, toolsLayer } from './layers.ts';

/** What becomes of a container when somebody takes its engine, its image or itself away. */
for (const name of ['docker', 'podman'] as const) {
  describeWith(await probeEngine(name), 'faults', ({ executor }) => describeFaults(name, executor));
}

let count = 0;

function describeFaults(program: string, executor: Executor): void {
  const cli = { program, globalArgs: [], environment, hint: '' };
  let folder: string;
  /** Nobody else's: it is taken away. */
  let image: LoadableImage;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'engine-faults-'));
    image = toLoadableImage([await toolsLayer(), await toLayer([file('id', randomUUID())])]);
  });
  afterAll(async () => {
    await callCli(cli, ['image', 'rm', '--force', image.image.imageHash]);
    rmSync(folder, { recursive: true, force: true });
  });

  function newSpec(command: readonly string[]): ContainerSpec {
    count += 1;
    return toContainerSpec({ command, scratchDir: mkdtempSync(join(folder, 'scratch-')) });
  }

  /** Gives `work` a container that would run for long, and sees that nothing of it is left. */
  async function withSleeper(work: (container: RunningContainer, name: string) => Promise<void>): Promise<void> {
    const seconds = `7${process.pid}${count}`;
    const spec = newSpec(['sleep', seconds]);
    const container = await executor.start(await executor.loadImage(image), spec);
    try {
      await work(container, `hallmark-${spec.id}`);
    } finally {
      await container.close();
    }
    expect(processesWith(['sleep', seconds])).toEqual([]);
    expect((await callCli(cli, ['ps', '--all', '--format', '{{.Names}}'])).stdout).not.toContain(spec.id);
  }

  it('a container that somebody kills ends as one that was killed', async () => {
    await withSleeper(async (container, name) => {
      await callCli(cli, ['kill', name]);
      expect(await container.exit).toMatchObject({ exitCode: 137, outOfMemory: false });
    });
  });

  it('a container that somebody removes is lost, and says so', async () => {
    await withSleeper(async (container, name) => {
      await callCli(cli, ['rm', '--force', name]);
      const end: unknown = await container.exit.catch((error: unknown) => error);
      // An engine kills before it removes: who looks in between sees a container that was killed.
      if (!(end instanceof Error)) return expect(end).toMatchObject({ exitCode: 137, outOfMemory: false });
      expect(end).toMatchObject({
        code: 'executor/engine-lost',
        message: `${program} has no container ${name} any more: somebody removed it`,
        retryable: true,
      });
    });
  });

  it('a container whose program is killed is lost, and no success', async () => {
    await withSleeper(async (container, name) => {
      const [runner] = processesWith([program, 'run', name]);
      process.kill(runner ?? 0, 'SIGKILL');
      await expect(container.exit).rejects.toMatchObject({
        code: 'executor/engine-lost',
        message: expect.stringContaining(`${program} left the container ${name} alone: its program ended with `),
      });
    });
  });

  it('an image that somebody removes before the start is gone, and can be loaded again', async () => {
    const loaded = await executor.loadImage(image);
    await callCli(cli, ['image', 'rm', '--force', loaded.reference]);
    await expect(executor.start(loaded, newSpec(['true']))).rejects.toMatchObject({
      code: 'executor/image-gone',
      message: `${program} has no image ${loaded.reference} any more`,
      retryable: true,
    });
    const container = await executor.start(await executor.loadImage(image), newSpec(['sh', '-c', 'exit 3']));
    expect((await container.exit).exitCode).toBe(3);
    await container.close();
  });
}

/** Processes, whose command lines have all these words. */
function processesWith(words: readonly string[]): number[] {
  const has = (pid: string): boolean => {
    const command = read(`/proc/${pid}/cmdline`).split('\0');
    return words.every((word) => command.includes(word));
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && has(name))
    .map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
