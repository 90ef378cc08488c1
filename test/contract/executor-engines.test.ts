import { describeWith, probeEngine } from './engines.ts';
import { describeExecutor } from './executor.ts';

for (const name of ['docker', 'podman'] as const) {
  describeWith(await probeEngine(name), 'executor', ({ executor, image }) =>
    describeExecutor(name, async () => ({ executor, image }), {
      isolates: true,
      limitsMemory: true,
      limitsProcesses: true,
    }),
  );
}
