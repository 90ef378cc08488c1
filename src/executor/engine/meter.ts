import { existsSync } from 'node:fs';
import { readText } from '../limits/cgroup-files.ts';
import { findNamedGroups } from '../limits/cgroup-roots.ts';
import { readGroupUsage } from '../limits/cgroup-usage.ts';
import { higherOf } from '../limits/samples.ts';
import { createWatchdog } from '../limits/watchdog.ts';
import type { ContainerSpec, ContainerUsage } from '../port.ts';
import type { FirstProcess } from './state.ts';

/** Watches one container of an engine from outside, where it runs on this machine. */
export interface Meter {
  usage(): ContainerUsage;
  /** Whether the meter itself had to end it, where the engine cannot hold it to its memory. */
  ranOutOfMemory(): boolean;
  /** Ends it without the engine, as far as this user may. */
  kill(): void;
  /** Whether its first process has gone for sure; false where it cannot be seen. */
  isGone(): boolean;
  /** Takes no more samples. */
  end(): void;
}

const intervalMs = 50;

const blind: Meter = { usage: () => ({}), ranOutOfMemory: () => false, kill() {}, isGone: () => false, end() {} };

/** The engine's groups vanish with the container: what it used is what they told last. */
export function startMeter(first: FirstProcess | undefined, spec: ContainerSpec): Meter {
  if (first === undefined || first.pid === 0 || first.id === '') return blind;
  const { pid, id } = first;
  const groups = findNamedGroups(pid, id);
  if (groups.unified !== undefined || Object.keys(groups.legacy).length > 0) {
    return {
      ...startSampling(() => readGroupUsage(groups)),
      ranOutOfMemory: () => false,
      kill: () => killFirst(pid, id),
      isGone: () => !existsSync(`/proc/${pid}`),
    };
  }
  return isOfContainer(pid, id) ? startWatching(pid, id, spec) : blind;
}

function startSampling(read: () => ContainerUsage): Pick<Meter, 'usage' | 'end'> {
  let usage = read();
  const sample = (): void => {
    usage = higherOf(usage, read());
  };
  const timer = setInterval(sample, intervalMs);
  timer.unref();
  return {
    usage() {
      sample();
      return usage;
    },
    end: () => clearInterval(timer),
  };
}

/** A rootless engine with control groups of version 1 makes none, and cannot limit memory. */
function startWatching(pid: number, id: string, { ramBytes }: ContainerSpec): Meter {
  const watchdog = createWatchdog({ id, maxProcesses: 0, ...(ramBytes === undefined ? {} : { ramBytes }) });
  watchdog.confine(pid);
  return {
    usage: watchdog.usage,
    ranOutOfMemory: watchdog.ranOutOfMemory,
    kill: () => killFirst(pid, id),
    isGone: () => !existsSync(`/proc/${pid}`),
    end: () => void watchdog.remove(),
  };
}

/** The first process of a container takes all others with it. Its number may be another process' by now. */
function killFirst(pid: number, id: string): void {
  if (!isOfContainer(pid, id)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended, or is not ours to end.
  }
}

/** Whether it is on this machine: its groups, or what the engine has watch over it, are called after the container. */
function isOfContainer(pid: number, id: string): boolean {
  if (readText('/proc', `${pid}/cgroup`).includes(id)) return true;
  const parent = readText('/proc', `${pid}/status`).match(/^PPid:\s+(\d+)/m)?.[1];
  return parent !== undefined && readText('/proc', `${parent}/cmdline`).includes(id);
}
