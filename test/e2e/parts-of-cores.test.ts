import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lastingProcessesWith, unfinishedIn } from './leftovers.ts';
import { createRunner, type Runner } from './runner.ts';
import { scatterOver } from './scatter.ts';

/** More than any machine that runs this has cores, and more than what waits beside what runs. */
const steps = 200;

let runner: Runner;
beforeAll(() => {
  runner = createRunner('parts');
});
afterAll(() => runner.remove());

/** Every job waits until all of them have begun. */
const workflow = (meeting: string): string =>
  scatterOver(`requirements: { ResourceRequirement: { coresMin: 0.005, ramMin: 8 } }
      baseCommand:
        - bash
        - -c
        - 'cd ${meeting}; : > "$0"; until all=(*); [ "\${#all[@]}" = ${steps} ]; do sleep 1; done; echo "$0"'`);

it('steps that want parts of cores all run at once', { timeout: 300_000 }, async () => {
  const meeting = join(runner.folder, 'meeting');
  mkdirSync(meeting);
  const numbers = Array.from({ length: steps }, (_, index) => index);
  runner.write('workflow.cwl', workflow(meeting));
  runner.write('inputs.json', JSON.stringify({ numbers }));
  const { exitCode, stdout, stderr } = await runner.run(['--outdir', 'out', 'workflow.cwl', 'inputs.json']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect((JSON.parse(stdout) as { all: unknown[] }).all).toHaveLength(steps);
  expect(await lastingProcessesWith(runner.folder)).toEqual([]);
  expect(unfinishedIn(runner.home)).toEqual([]);
});
