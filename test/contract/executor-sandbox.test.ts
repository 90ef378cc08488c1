import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGround } from '../../src/executor/sandbox/ground.ts';
import { createSandboxExecutor } from '../../src/executor/sandbox/sandbox.ts';
import { describeExecutor } from './executor.ts';
import { toLoadableImage } from './executor-images.ts';
import { describeExecutorSettings } from './executor-settings.ts';
import { toolsLayer } from './layers.ts';

async function openSandbox(withoutPerl: boolean) {
  const home = mkdtempSync(join(tmpdir(), 'sandbox-home-'));
  const ground = createGround({ home, maxProcesses: 200, withoutPerl });
  return {
    executor: createSandboxExecutor(ground),
    image: toLoadableImage([await toolsLayer()]),
    close: async () => {
      const namespace = await (await ground()).namespace();
      await namespace.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

for (const [name, withoutPerl] of Object.entries({ sandbox: false, 'sandbox without perl': true })) {
  describeExecutor(name, () => openSandbox(withoutPerl), {
    ...{ isolates: true, limitsMemory: true, limitsProcesses: true, followsLinks: true },
  });
  describeExecutorSettings(name, () => openSandbox(withoutPerl), { hasImageUser: true });
}
