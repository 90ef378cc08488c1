import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { processStart } from './process-start.ts';

it('names a process that runs, always the same', () => {
  expect(processStart(process.pid)).toMatch(/^\d+$/);
  expect(processStart(process.pid)).toBe(processStart(process.pid));
});

it('knows none for a number that no process has', () => {
  expect(processStart(4_194_305)).toBeUndefined();
  expect(processStart(Number.NaN)).toBeUndefined();
});

it('takes a process that ended, and that nobody waited for, for gone', async () => {
  const parent = spawn('sh', ['-c', 'read -r _ <&3 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  try {
    const [line] = await once(parent.stdout as Readable, 'data');
    const child = Number(line);
    expect(processStart(child)).toMatch(/^\d+$/);
    (parent.stdio[3] as Writable).end('\n');
    await expect.poll(() => processStart(child)).toBeUndefined();
    expect(() => process.kill(child, 0)).not.toThrow();
  } finally {
    parent.kill('SIGKILL');
  }
});
