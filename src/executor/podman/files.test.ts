import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startFiles } from './files.ts';

const folder = mkdtempSync(join(tmpdir(), 'podman-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('tell of a container once its first process has become the command', async () => {
  const { fileArgs, readFirst } = startFiles(folder);
  expect(fileArgs).toEqual(['--cidfile', join(folder, 'cid'), '--pidfile', join(folder, 'pid')]);
  const shell = spawn('sh', ['-c', '(read go; exec sleep 60) <&3 & echo $!; wait'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  const [pid] = await once(shell.stdout ?? shell, 'data');
  try {
    writeFileSync(join(folder, 'cid'), 'abc\n');
    expect(readFirst()).toBeUndefined();
    writeFileSync(join(folder, 'pid'), String(pid));
    expect(readFirst()).toBeUndefined();
    const go = shell.stdio[3];
    if (go && 'write' in go) go.write('\n');
    await expect.poll(readFirst).toEqual({ id: 'abc', pid: Number(pid) });
    process.kill(Number(pid), 'SIGKILL');
    await once(shell, 'exit');
    expect(readFirst()).toEqual({ id: 'abc', pid: Number(pid) });
  } finally {
    shell.kill('SIGKILL');
  }
});
