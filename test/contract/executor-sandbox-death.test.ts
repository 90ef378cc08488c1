import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { createGround } from '../../src/executor/sandbox/ground.ts';
import { createSandboxExecutor } from '../../src/executor/sandbox/sandbox.ts';
import { sandboxFolder } from './one-id.ts';

const folder = mkdtempSync(join(tmpdir(), 'sandbox-death-'));
const home = join(folder, 'home');
const id = `death-${process.pid}`;
afterAll(async () => {
  await createSandboxExecutor(createGround({ home })).reap(() => false);
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a runner with a container whose every process has `seconds` on its command line. */
function startCaller(seconds: string): ChildProcess {
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  const caller = join(import.meta.dirname, 'executor-caller.ts');
  return spawn(process.execPath, [caller, home, scratch, id, seconds], { stdio: ['ignore', 'pipe', 'inherit'] });
}

const processesWith = (word: string): string[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => read(`/proc/${pid}/cmdline`).split('\0').includes(word));

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function untilNone(word: string): Promise<string[]> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (processesWith(word).length === 0) return [];
    await setTimeout(25);
  }
  return processesWith(word);
}

describe('a sandbox whose runner is killed', () => {
  it('ends with it, and leaves nothing that reap does not clear', async () => {
    const seconds = `604${process.pid}`;
    const caller = startCaller(seconds);
    await once(caller.stdout as NonNullable<typeof caller.stdout>, 'data');
    while (processesWith(seconds).length < 2) await setTimeout(5);
    caller.kill('SIGKILL');
    await once(caller, 'exit');
    expect(await untilNone(seconds)).toEqual([]);
    const [builds, layers] = [join(home, sandboxFolder, 'builds'), join(home, sandboxFolder, 'layers')];
    mkdirSync(join(builds, '.of-1-1-abandoned'), { recursive: true });
    mkdirSync(join(layers, '.of-999999999-5-abandoned'), { recursive: true });
    const executor = createSandboxExecutor(createGround({ home }));
    await executor.reap(() => false);
    expect(readdirSync(builds)).toEqual([]);
    expect(readdirSync(layers).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(groupsOf(id)).toEqual([]);
    expect(groupsOf(`-${caller.pid}-`)).toEqual([]);
  });

  it('ends at whatever instant that happens', async () => {
    for (let index = 0; index < 8; index += 1) {
      const seconds = `605${process.pid}${index}`;
      const caller = startCaller(seconds);
      await setTimeout(250 + index * 25);
      caller.kill('SIGKILL');
      await once(caller, 'exit');
      expect(await untilNone(seconds)).toEqual([]);
    }
  });
});

function groupsOf(name: string): string[] {
  const roots = ['memory', 'pids', 'cpu', 'unified', ''].map((each) => join('/sys/fs/cgroup', each));
  return roots.flatMap((root) => findNamed(root, name, 4));
}

function findNamed(path: string, name: string, depth: number): string[] {
  if (depth === 0) return [];
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) =>
        entry.name.startsWith('hallmark-') && entry.name.includes(name)
          ? [join(path, entry.name)]
          : findNamed(join(path, entry.name), name, depth - 1),
      );
  } catch {
    return [];
  }
}
