import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createApptainerExecutor } from '../../src/executor/apptainer/apptainer.ts';
import { describeWith, environment, probeEngine } from './engines.ts';
import { describeExecutor } from './executor.ts';
import { describeExecutorSettings } from './executor-settings.ts';

const home = mkdtempSync(join(tmpdir(), 'apptainer-home-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const noStore = { find: async () => false, save: async () => {} };
const apptainer = createApptainerExecutor({ home, sifs: noStore, environment, maxProcesses: 200 });

describeWith(await probeEngine('apptainer', apptainer), 'executor', ({ executor, image }) => {
  describeExecutorSettings('apptainer', async () => ({ executor }), { hasImageUser: false });
  describeExecutor('apptainer', async () => ({ executor, image }), {
    isolates: true,
    limitsMemory: true,
    // An ordinary user without control groups has their own limit alone.
    limitsProcesses: process.getuid?.() === 0,
  });
});
