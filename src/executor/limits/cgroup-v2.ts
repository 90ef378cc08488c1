import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerUsage } from '../port.ts';
import { readKeyed, readNumber, readText, removeGroup, tryWrite } from './cgroup-files.ts';
import type { LimitSpec, Limits } from './limits.ts';

const cpuPeriodUs = 100_000;

/** Limits by cgroup v2. Memory that runs out ends the whole group (`memory.oom.group`). */
export function createUnifiedLimits(root: string, name: string, spec: LimitSpec): Limits {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  if (spec.ramBytes !== undefined) {
    tryWrite(folder, 'memory.max', spec.ramBytes);
    tryWrite(folder, 'memory.swap.max', 0);
    tryWrite(folder, 'memory.oom.group', 1);
  }
  tryWrite(folder, 'pids.max', spec.maxProcesses);
  if (spec.cpus !== undefined) tryWrite(folder, 'cpu.max', `${Math.round(spec.cpus * cpuPeriodUs)} ${cpuPeriodUs}`);
  return {
    confine: (pid) => void tryWrite(folder, 'cgroup.procs', pid),
    usage: () => readUsage(folder),
    ranOutOfMemory: () => (readKeyed(folder, 'memory.events', 'oom_kill') ?? 0) > 0,
    remove: () => removeGroup(folder),
  };
}

function readUsage(folder: string): ContainerUsage {
  const peakRamBytes = readNumber(folder, 'memory.peak');
  const user = readKeyed(folder, 'cpu.stat', 'user_usec');
  const system = readKeyed(folder, 'cpu.stat', 'system_usec');
  const io = readText(folder, 'io.stat');
  const sum = (key: string): number =>
    [...io.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce((total, [, value]) => total + Number(value), 0);
  return {
    ...(peakRamBytes === undefined ? {} : { peakRamBytes }),
    ...(user === undefined ? {} : { cpuUserSeconds: user / 1e6 }),
    ...(system === undefined ? {} : { cpuSystemSeconds: system / 1e6 }),
    ...(io === '' ? {} : { readBytes: sum('rbytes'), writtenBytes: sum('wbytes') }),
  };
}
