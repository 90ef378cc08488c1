import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lastingProcessesWith, unfinishedIn } from './leftovers.ts';
import { createRunner, type Runner } from './runner.ts';
import { scatterOver } from './scatter.ts';

const steps = 200;

let runner: Runner;
beforeAll(() => {
  runner = createRunner('three');
});
afterAll(() => runner.remove());

/** Every job notes that it ran. */
const workflow = (notes: string): string => scatterOver(`baseCommand: [sh, -c, 'echo "$0" >> ${notes}; echo "$0"']`);

it('three runners with the same 200 steps on one home run each of them once', { timeout: 300_000 }, async () => {
  const notes = join(runner.folder, 'notes');
  const numbers = Array.from({ length: steps }, (_, index) => index);
  runner.write('workflow.cwl', workflow(notes));
  runner.write('inputs.json', JSON.stringify({ numbers }));
  const runs = ['a', 'b', 'c'].map((out) => runner.run(['--outdir', out, 'workflow.cwl', 'inputs.json']));
  for (const { exitCode, stdout, stderr } of await Promise.all(runs)) {
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(stdout).all).toHaveLength(steps);
  }
  const ran = readFileSync(notes, 'utf8').trim().split('\n').map(Number);
  expect(ran.toSorted((a, b) => a - b)).toEqual(numbers);
  await runner.withRecords(async (cluster) => {
    const { items } = await cluster.list('containers', { limit: 1000 });
    expect(new Set(items.map(({ state, exit_code }) => `${state} ${exit_code}`))).toEqual(new Set(['Complete 0']));
    expect(items).toHaveLength(steps);
    const final = await cluster.list('container_requests', { filters: [['state', '=', 'Final']], limit: 0 });
    expect(final.itemsAvailable).toBe(3 * steps);
  });
  expect(await lastingProcessesWith(runner.folder)).toEqual([]);
  expect(unfinishedIn(runner.home)).toEqual([]);
});
