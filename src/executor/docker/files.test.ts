import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { startFiles } from './files.ts';

const folder = mkdtempSync(join(tmpdir(), 'docker-files-'));
const id = randomBytes(32).toString('hex');
const group = makeGroup();
const cleanups: (() => void)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups) cleanup();
  rmSync(folder, { recursive: true, force: true });
  if (group) await remove(group);
});

/** As docker's daemon makes it; undefined where this machine does not let it be made. */
function makeGroup(): string | undefined {
  for (const root of ['/sys/fs/cgroup/pids', '/sys/fs/cgroup']) {
    const path = join(root, 'docker', id);
    try {
      mkdirSync(path, { recursive: true });
      if (existsSync(join(path, 'cgroup.procs'))) return path;
      rmdirSync(path);
    } catch {
      // Not ours to make.
    }
  }
  return undefined;
}

/** It goes once its processes have; the one around it only where no daemon has another in it. */
async function remove(path: string): Promise<void> {
  while (existsSync(path)) await rmdir(path).catch(() => setTimeout(20));
  await rmdir(dirname(path)).catch(() => {});
}

function start(command: string, ...args: string[]): number {
  const child = spawn(command, args, { stdio: 'ignore' });
  cleanups.push(() => child.kill('SIGKILL'));
  return child.pid ?? 0;
}

const enter = (path: string, pid: number) => writeFileSync(join(path, 'cgroup.procs'), String(pid));
const childOf = (pid: number): number => Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);

describe.skipIf(group === undefined)('the files of docker', () => {
  it('tell of a container once its process 1 is the command, whatever helpers are in its group before', async () => {
    const { fileArgs, readFirst } = startFiles(folder);
    expect(fileArgs).toEqual(['--cidfile', join(folder, 'cid')]);
    expect(readFirst()).toBeUndefined();
    writeFileSync(join(folder, 'cid'), id);
    expect(readFirst()).toBeUndefined();
    enter(group ?? '', start('sleep', '60'));
    expect(readFirst()).toBeUndefined();
    const unshare = start('unshare', '--pid', '--fork', '--kill-child', 'sleep', '60');
    await expect.poll(() => childOf(unshare)).toBeGreaterThan(0);
    const first = childOf(unshare);
    enter(group ?? '', first);
    await expect.poll(readFirst).toEqual({ id, pid: first });
  });
});
