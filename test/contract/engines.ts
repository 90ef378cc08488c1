import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { toMessage } from '../../src/core/errors.ts';
import { createDockerExecutor } from '../../src/executor/docker/docker.ts';
import { createPodmanExecutor } from '../../src/executor/podman/podman.ts';
import type { Executor, LoadableImage } from '../../src/executor/port.ts';
import { toContainerSpec } from '../fakes/container-spec.ts';
import { toLoadableImage } from './executor-images.ts';
import { toolsLayer } from './layers.ts';

export type EngineName = 'docker' | 'podman' | 'apptainer';

/** An engine of this machine, or why it runs no containers here. */
export type Engine =
  | { readonly name: EngineName; readonly executor: Executor; readonly image: LoadableImage }
  | { readonly name: EngineName; readonly reason: string };

/** Of the programs of engines. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
);

/** Finds out by running a container. What a test gets is an engine that works. */
export async function probeEngine(
  name: EngineName,
  executor: Executor = (name === 'docker' ? createDockerExecutor : createPodmanExecutor)({
    environment,
    maxProcesses: 200,
  }),
): Promise<Engine> {
  try {
    await executor.runtime();
    const image = toLoadableImage([await toolsLayer()]);
    await runTrue(executor, image);
    return { name, executor, image };
  } catch (error) {
    return { name, reason: toMessage(error) };
  }
}

async function runTrue(executor: Executor, image: LoadableImage): Promise<void> {
  const scratchDir = mkdtempSync(join(tmpdir(), 'probe-'));
  const spec = toContainerSpec({ command: ['sh', '-c', ':'], scratchDir });
  const container = await executor.start(await executor.loadImage(image), spec);
  try {
    const { exitCode } = await container.exit;
    if (exitCode !== 0) throw new Error(`a container of it ended with ${exitCode}`);
  } finally {
    await container.close();
    rmSync(scratchDir, { recursive: true, force: true });
  }
}

/** `scripts/engines.sh` names the engines that it set up: there a refusal is a failure. Elsewhere it is a skip that says why. */
export const mustWork = (name: string): boolean => (process.env.HALLMARK_TEST_ENGINES ?? '').split(' ').includes(name);

/** Describes what holds with an engine, where it runs containers. */
export function describeWith(
  engine: Engine,
  title: string,
  tests: (engine: Extract<Engine, { executor: Executor }>) => void,
) {
  if ('executor' in engine) describe(`${title}: ${engine.name}`, () => tests(engine));
  else if (mustWork(engine.name)) {
    it(`${title}: ${engine.name} runs containers`, () => {
      throw new Error(engine.reason);
    });
  } else {
    describe.skip(`${title}: ${engine.name} (skipped: ${engine.reason}; scripts/engines.sh sets engines up)`, () =>
      it('runs', () => {}));
  }
}
