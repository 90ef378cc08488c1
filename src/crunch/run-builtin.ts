import { mkdir } from 'node:fs/promises';
import { createActivity } from './activity.ts';
import type { Ending } from './ending.ts';
import { containerDirs, removeDirs } from './owner.ts';
import { withRetries } from './retry.ts';
import type { Life } from './run-container.ts';
import { saveOutput } from './save-output.ts';
import { withTimeLimit } from './time-limit.ts';

/** Runs `docker pull` or `docker build` with the same states, logs and limits as any command. */
export async function runBuiltin(life: Life): Promise<Ending> {
  const { container, secretMounts, logs, deps, signal } = life;
  const startNs = deps.clock.nowNs();
  await withRetries(() => deps.api.update('containers', container.uuid, { state: 'Running' }));
  const dirs = await containerDirs(deps, container.uuid);
  await mkdir(dirs.place, { recursive: true });
  const activity = createActivity(life);
  try {
    const report = { line: logs.line, activity: activity.set };
    const task = { container, secretMounts, scratchDir: dirs.place, report };
    const result = await withTimeLimit(container, signal, (limited) => deps.builtin(task, limited));
    signal.throwIfAborted();
    const wallSeconds = Number(deps.clock.nowNs() - startNs) / 1e9;
    return {
      state: 'Complete',
      exitCode: result.exitCode,
      output: result.output ? await saveOutput(container, result.output.collection, deps) : null,
      outputProperties: result.output?.properties ?? {},
      status: { usage: { wallSeconds }, ...(result.error !== undefined && { error: result.error }) },
    };
  } finally {
    await activity.end();
    await removeDirs(dirs, deps.logger);
  }
}
