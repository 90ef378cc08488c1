import { describeWith, probeEngine } from './engines.ts';
import { describeExecutor } from './executor.ts';
import { describeExecutorSettings } from './executor-settings.ts';

for (const name of ['docker', 'podman'] as const) {
  describeWith(await probeEngine(name), 'executor', ({ executor, image }) => {
    describeExecutor(name, async () => ({ executor, image }), {
      isolates: true,
      limitsMemory: true,
      limitsProcesses: true,
    });
    describeExecutorSettings(name, async () => ({ executor }), { hasImageUser: true });
  });
}
