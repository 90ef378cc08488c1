import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Uuid } from '../../src/core/ids.ts';
import { containerOf, hostRequest } from '../fakes/cluster-work.ts';
import { createRunner, type Runner } from './runner.ts';

let runner: Runner;
beforeAll(() => {
  runner = createRunner('crunch-run');
});
afterAll(() => runner.remove());

/** A queued container of a session that stays open while `work` goes on. */
async function withQueued(script: string, work: (uuid: Uuid) => Promise<void>): Promise<void> {
  await runner.withRecords(async (cluster) => {
    const out = '/hallmark.host/out';
    const place = { cwd: out, output_path: out, mounts: { [out]: { kind: 'tmp', capacity: 1 << 20 } } } as const;
    const request = await cluster.create(
      'container_requests',
      hostRequest({ command: ['sh', '-c', script], use_existing: false, ...place }),
    );
    await work(containerOf(request));
  });
}

const stateOf = (uuid: Uuid) => runner.withRecords((cluster) => cluster.get('containers', uuid));

describe('crunch-run', { timeout: 120_000 }, () => {
  it('runs one queued container and says how it ended', async () => {
    await withQueued('echo made > f', async (uuid) => {
      expect(await runner.run(['crunch-run', uuid])).toEqual({
        exitCode: 0,
        stdout: `${uuid} Complete exit code 0\n`,
        stderr: '',
      });
      const container = await stateOf(uuid);
      expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
      expect(container.output).toMatch(/^[0-9a-f]{32}\+\d+$/);
    });
  });

  it('fails as the command fails', async () => {
    await withQueued('exit 7', async (uuid) => {
      const { exitCode, stdout } = await runner.run(['crunch-run', uuid]);
      expect([exitCode, stdout]).toEqual([1, `${uuid} Complete exit code 7\n`]);
    });
  });

  it('runs it once, however many ask, and tells the others', async () => {
    await withQueued('sleep 1; echo once >> f', async (uuid) => {
      const ended = await Promise.all([1, 2, 3].map(() => runner.run(['crunch-run', uuid])));
      expect(ended.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1, 1]);
      for (const { exitCode, stderr } of ended) {
        if (exitCode !== 0)
          expect(stderr).toMatch(/^expected container .* to be Queued, got (Locked|Running|Complete)\n/);
      }
      expect(await stateOf(uuid)).toMatchObject({ state: 'Complete', lock_count: 1 });
      const { exitCode, stderr } = await runner.run(['crunch-run', uuid]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('got Complete');
      expect(stderr).toContain('hint: it has ended');
    });
  });

  it.each([[[]], [['x']], [['abcde-xvhdp-012345678901234']]])('takes the uuid of a container, not %j', async (args) => {
    const { exitCode, stderr } = await runner.run(['crunch-run', ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^crunch-run: expected the uuid of one container, got /);
  });
});

it('--usage ends with a table of what each step used', { timeout: 60_000 }, async () => {
  runner.write(
    'tool.cwl',
    'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: [sh, -c, "sleep 0.1; exit 0"]\ninputs: []\noutputs: []\n',
  );
  const { exitCode, stderr } = await runner.run(['--usage', 'tool.cwl']);
  expect(exitCode).toBe(0);
  const [head, row] = stderr.trimEnd().split('\n').slice(-2);
  expect(head).toMatch(/^step +wall s +CPU s +peak RAM +exit code$/);
  expect(row).toMatch(/^tool\.cwl +0\.[1-9]\d|^tool\.cwl +[1-9]/);
  expect(row).toMatch(/ 0$/);
});
