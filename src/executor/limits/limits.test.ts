import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mib } from '../../core/units.ts';
import { findNamedGroups } from './cgroup-roots.ts';
import { readGroupUsage } from './cgroup-usage.ts';
import { createLimitMaker } from './create.ts';
import { createWatchdog } from './watchdog.ts';

const folder = mkdtempSync(join(tmpdir(), 'limits-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process with a child that holds `megabytes`. */
const hog = (megabytes: number): ChildProcess =>
  spawn(
    'sh',
    [
      '-c',
      `"$0" -e 'const held = Buffer.alloc(${megabytes} << 20, 1); setInterval(() => held, 1000)' & wait`,
      process.execPath,
    ],
    {
      detached: true,
    },
  );

describe('groups of cgroup v2', () => {
  it('get the limits that it knows, and tell what it tells', () => {
    const root = mkdtempSync(join(folder, 'v2-'));
    const roots = { unified: { folder: root, controllers: ['memory', 'pids', 'cpu'] }, legacy: {} };
    const limits = createLimitMaker(roots).create({ id: 'x', ramBytes: 64 * mib, maxProcesses: 7, cpus: 1.5 });
    const group = join(root, 'hallmark-x');
    limits.confine(42);
    const written = Object.fromEntries(
      readdirSync(group).map((name) => [name, readFileSync(join(group, name), 'utf8')]),
    );
    expect(written).toEqual({
      'memory.max': String(64 * mib),
      'memory.swap.max': '0',
      'memory.oom.group': '1',
      'pids.max': '7',
      'cpu.max': '150000 100000',
      'cgroup.procs': '42',
    });
    expect(limits.ranOutOfMemory()).toBe(false);
    writeFileSync(join(group, 'memory.events'), 'low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 1\n');
    writeFileSync(join(group, 'memory.peak'), '67108864\n');
    writeFileSync(join(group, 'cpu.stat'), 'usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n');
    writeFileSync(
      join(group, 'io.stat'),
      '8:0 rbytes=10 wbytes=20 rios=1 wios=1\n8:16 rbytes=1 wbytes=2 rios=1 wios=1\n',
    );
    expect(limits.ranOutOfMemory()).toBe(true);
    expect(limits.usage()).toEqual({
      peakRamBytes: 67108864,
      cpuUserSeconds: 2,
      cpuSystemSeconds: 1,
      readBytes: 11,
      writtenBytes: 22,
    });
  });
});

describe('the groups of an engine', () => {
  it('tell what version 1 knows', () => {
    const group = mkdtempSync(join(folder, 'v1-'));
    writeFileSync(join(group, 'memory.max_usage_in_bytes'), '67108864\n');
    writeFileSync(join(group, 'cpuacct.stat'), 'user 200\nsystem 150\n');
    writeFileSync(
      join(group, 'blkio.throttle.io_service_bytes_recursive'),
      '8:0 Read 10\n8:0 Write 20\n8:0 Total 30\n8:16 Read 1\n8:16 Write 2\n8:16 Total 3\nTotal 33\n',
    );
    expect(readGroupUsage({ legacy: { memory: group, cpuacct: group, blkio: group } })).toEqual({
      peakRamBytes: 67108864,
      cpuUserSeconds: 2,
      cpuSystemSeconds: 1.5,
      readBytes: 11,
      writtenBytes: 22,
    });
  });

  it('tell nothing when they have gone', () => {
    const gone = join(folder, 'gone');
    expect(readGroupUsage({ unified: gone, legacy: { memory: gone, cpuacct: gone, blkio: gone } })).toEqual({});
  });

  it('are not those of a process that no group of that name holds', () => {
    expect(findNamedGroups(process.pid, 'f'.repeat(64))).toEqual({ legacy: {} });
    expect(findNamedGroups(2 ** 30, 'f'.repeat(64))).toEqual({ legacy: {} });
  });
});

describe('createWatchdog', () => {
  it('counts what descendants hold, and ends the first process when it is too much', async () => {
    const child = hog(200);
    const limits = createWatchdog({ id: 'x', ramBytes: 150 * mib, maxProcesses: 9 });
    limits.confine(child.pid ?? 0);
    const [, signal] = await once(child, 'exit');
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    expect([signal, limits.ranOutOfMemory()]).toEqual(['SIGKILL', true]);
    const { peakRamBytes, cpuUserSeconds } = limits.usage();
    expect(peakRamBytes).toBeGreaterThan(150 * mib);
    expect(cpuUserSeconds).toBeGreaterThan(0);
    await limits.remove();
  });

  it('leaves alone what keeps within', async () => {
    const child = spawn('sleep', ['0.2']);
    const limits = createWatchdog({ id: 'x', ramBytes: 150 * mib, maxProcesses: 9 });
    limits.confine(child.pid ?? 0);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(limits.ranOutOfMemory()).toBe(false);
    await limits.remove();
  });
});

describe('createLimitMaker', () => {
  it('falls back to the watchdog where no group can be made', () => {
    const limits = createLimitMaker({ legacy: {} }).create({ id: 'x', ramBytes: mib, maxProcesses: 9 });
    expect(limits.usage()).toEqual({});
    expect(limits.ranOutOfMemory()).toBe(false);
  });

  it('removes the groups that are nobody’s any more', async () => {
    const root = mkdtempSync(join(folder, 'v1-'));
    for (const name of ['hallmark-mine', 'hallmark-gone', 'other']) mkdirSync(join(root, name));
    await createLimitMaker({ legacy: { memory: root } }).reap((id) => id === 'mine');
    expect(readdirSync(root).sort()).toEqual(['hallmark-mine', 'other']);
  });
});
