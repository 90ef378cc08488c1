import { describeWith, probeEngine } from './engines.ts';
import { describeExecutor } from './executor.ts';
import { describeExecutorSettings } from './executor-settings.ts';

for (const name of ['docker', 'podman'] as const) {
  describeWith(await probeEngine(name), 'executor', ({ executor, image }) => {
    describeExecutor(name, async () => ({ executor, image }), {
      isolates: true,
      limitsMemory: true,
      // A rootless podman has what was delegated to its user, which is nothing in version 1 of control groups.
      limitsProcesses: process.getuid?.() === 0,
    });
    describeExecutorSettings(name, async () => ({ executor }), { hasImageUser: true });
  });
}
