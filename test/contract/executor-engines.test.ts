import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import { createDockerExecutor } from '../../src/executor/docker/docker.ts';
import { createPodmanExecutor } from '../../src/executor/podman/podman.ts';
import { describeExecutor } from './executor.ts';
import { toLoadableImage } from './executor-images.ts';
import { toolsLayer } from './layers.ts';

/** `scripts/engines.sh` sets the engines up and says in HALLMARK_TEST_* how to reach them. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
);

function answers(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

const isolating = { isolates: true, limitsMemory: true, limitsProcesses: true } as const;

if (answers('docker', ['version'])) {
  describeExecutor(
    'docker',
    async () => ({
      executor: createDockerExecutor({ environment, maxProcesses: 200 }),
      image: toLoadableImage([await toolsLayer()]),
    }),
    isolating,
  );
} else {
  describe.skip('executor: docker (no daemon answers; scripts/engines.sh starts one)', () => it('runs', () => {}));
}

if (answers('podman', ['info'])) {
  describeExecutor(
    'podman',
    async () => ({
      executor: createPodmanExecutor({ environment, maxProcesses: 200 }),
      image: toLoadableImage([await toolsLayer()]),
    }),
    // podman 4.3 does not see it in cgroup v1.
    { ...isolating, tellsOutOfMemory: existsSync('/sys/fs/cgroup/cgroup.controllers') },
  );
} else {
  describe.skip('executor: podman (not installed, or not usable here)', () => it('runs', () => {}));
}
