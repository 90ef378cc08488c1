import { existsSync } from 'node:fs';
import { describeWith, probeEngine } from './engines.ts';
import { describeExecutor } from './executor.ts';

const isolating = { isolates: true, limitsMemory: true, limitsProcesses: true } as const;

describeWith(await probeEngine('docker'), 'executor', ({ executor, image }) =>
  describeExecutor('docker', async () => ({ executor, image }), isolating),
);
describeWith(await probeEngine('podman'), 'executor', ({ executor, image }) =>
  describeExecutor('podman', async () => ({ executor, image }), {
    ...isolating,
    // podman 4.3 does not see it in cgroup v1.
    tellsOutOfMemory: existsSync('/sys/fs/cgroup/cgroup.controllers'),
  }),
);
