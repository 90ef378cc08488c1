import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { createContainerLogs } from './container-logs.ts';

const folder = mkdtempSync(join(tmpdir(), 'container-logs-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a log that cannot be written fails where it is finished, and ends nothing else', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const logs = createContainerLogs(join(file, 'logs'), systemClock());
  const stream = logs.stream('stderr.txt');
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.write(`${'x'.repeat(1 << 17)}\n`);
  await closed;
  await expect(logs.finish()).rejects.toMatchObject({
    code: 'crunch/log-failed',
    message: `cannot write the log ${join(file, 'logs/stderr.txt')}`,
  });
});
