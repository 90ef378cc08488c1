import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container } from '../../src/api/records.ts';
import { createRunner, type Ended, type Runner } from './runner.ts';

/** Debian's libfaketime tells a process another time than the machine's; the monotonic clock stays true, as the kernel has it. */
const library = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

let runner: Runner;
beforeAll(() => {
  runner = createRunner('clock');
});
afterAll(() => runner.remove());

/** Says that it runs, and waits for a word. */
const tool = (word: string) => `cwlVersion: v1.2
class: CommandLineTool
requirements: { ToolTimeLimit: { timelimit: 3000 } }
baseCommand: [sh, -c, "echo before; : > ${runner.folder}/${word}.runs; until [ -e ${runner.folder}/${word}.go ]; do sleep 0.1; done; echo after"]
inputs: []
stdout: out.txt
outputs: { out: stdout }
`;

/** A run during which the clock of the machine jumps by `offset`, or stands `from` the start. */
async function run(word: string, offset: string, from = '+0'): Promise<Ended> {
  const document = runner.write(`${word}.cwl`, tool(word));
  const env = {
    LD_PRELOAD: library ?? '',
    FAKETIME_TIMESTAMP_FILE: runner.write('clock', from),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const { ended } = runner.start([document], { env });
  const over = ended.then(() => true);
  while (!existsSync(join(runner.folder, `${word}.runs`)) && !(await Promise.race([over, sleep(20, false)]))) {}
  renameSync(runner.write('clock.next', offset), join(runner.folder, 'clock'));
  runner.write(`${word}.go`, '');
  return ended;
}

const lastContainer = (): Promise<Container | undefined> =>
  runner.withRecords(async (cluster) => (await cluster.list('containers', { order: ['created_at desc'] })).items[0]);

describe.skipIf(library === undefined)('a clock that jumps while a container runs', { timeout: 120_000 }, () => {
  it.each([
    ['back', '-3600'],
    ['forward', '+7200'],
  ])('%s: its times stay in order, and no limit is met by it', async (word, offset) => {
    const { exitCode, stderr } = await run(word, offset);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const container = await lastContainer();
    expect(Date.parse(container?.finished_at ?? '')).toBeGreaterThan(Date.parse(container?.started_at ?? ''));
    expect(container?.runtime_status.usage?.wallSeconds).toBeGreaterThan(0);
    expect(container?.runtime_status.usage?.wallSeconds).toBeLessThan(3000);
  });

  it('a run whose clock is behind all records takes what is there', async () => {
    const { exitCode, stderr } = await run('back', '-86400', '-86400');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('reused') });
    const requests = await runner.withRecords((cluster) => cluster.list('container_requests', {}));
    const first = requests.items.map(({ created_at }) => created_at).sort()[0];
    const container = await lastContainer();
    expect(Date.parse(first ?? '')).toBeLessThan(Date.parse(container?.created_at ?? '') - 3_600_000);
  });
});
