import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openPipe } from './pipes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-tmp-'));
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('a pipe carries what is written to its path, and what a killed process left of its own goes', async () => {
  const make = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    writeFileSync(join(path, '0'), '');
    return path;
  };
  const [old, recent, foreign] = [make('hallmark-pipes-old'), make('hallmark-pipes-new'), make('other-old')];
  for (const path of [old, foreign]) utimesSync(path, new Date(0), new Date(0));
  const { reader, path } = await openPipe();
  writeFileSync(path, 'through the pipe');
  expect((await reader.toArray()).join('')).toBe('through the pipe');
  await vi.waitUntil(() => !existsSync(old), { timeout: 10_000 });
  expect([recent, foreign].map((one) => existsSync(one))).toEqual([true, true]);
});

it('a folder that cannot be written to is named, with what to do', async () => {
  vi.stubEnv('TMPDIR', join(folder, 'none'));
  vi.resetModules(); // Pipes that are free are used again.
  const { openPipe: openFirst } = await import('./pipes.ts');
  await expect(openFirst()).rejects.toMatchObject({
    code: 'executor/start-failed',
    message: expect.stringContaining(`expected a folder to make pipes in, got ${join(folder, 'none')}: ENOENT`),
    hint: expect.stringContaining('set TMPDIR'),
  });
});
