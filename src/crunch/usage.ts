import type { RuntimeStatus } from '../api/records.ts';
import type { Clock } from '../core/clock.ts';
import type { ContainerUsage, RunningContainer } from '../executor/port.ts';
import type { ContainerLogs } from './logs/container-logs.ts';

const defaultIntervalMs = 10_000;

/**
 * Lines of crunchstat.txt, in the words of Arvados' crunchstat: `cpu 1.2300 user 0.1200 sys`, `mem 1234 peak`,
 * `blkio:0:0 12 write 34 read`. Returns the call that ends the sampling.
 */
export function startSampling(
  running: RunningContainer,
  logs: ContainerLogs,
  intervalMs = defaultIntervalMs,
): () => void {
  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    const usage = await running.usage().catch(() => undefined);
    busy = false;
    if (usage) writeSample(usage, logs);
  }, intervalMs);
  return () => clearInterval(timer);
}

export function writeSample(usage: ContainerUsage, logs: ContainerLogs): void {
  if (usage.cpuUserSeconds !== undefined || usage.cpuSystemSeconds !== undefined) {
    const [user, system] = [usage.cpuUserSeconds ?? 0, usage.cpuSystemSeconds ?? 0];
    logs.sample(`cpu ${user.toFixed(4)} user ${system.toFixed(4)} sys`);
  }
  if (usage.peakRamBytes !== undefined) logs.sample(`mem ${usage.peakRamBytes} peak`);
  if (usage.readBytes !== undefined || usage.writtenBytes !== undefined) {
    logs.sample(`blkio:0:0 ${usage.writtenBytes ?? 0} write ${usage.readBytes ?? 0} read`);
  }
}

/** The figures of the record. */
export function toUsageFigures(
  usage: ContainerUsage,
  startNs: bigint,
  clock: Clock,
): NonNullable<RuntimeStatus['usage']> {
  const wallSeconds = Number(clock.nowNs() - startNs) / 1e9;
  const cpu = usage.cpuUserSeconds ?? usage.cpuSystemSeconds;
  return {
    wallSeconds,
    ...(usage.peakRamBytes !== undefined && { peakRamBytes: usage.peakRamBytes }),
    ...(cpu !== undefined && { cpuSeconds: (usage.cpuUserSeconds ?? 0) + (usage.cpuSystemSeconds ?? 0) }),
  };
}
