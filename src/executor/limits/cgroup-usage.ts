import type { ContainerUsage } from '../port.ts';
import { readKeyed, readNumber, readText } from './cgroup-files.ts';
import type { NamedGroups } from './cgroup-roots.ts';

/** cgroups(7): times of v1 are counted in ticks of a hundredth of a second. */
const ticksPerSecond = 100;

/** What the groups tell by now; nothing once they have gone. */
export const readGroupUsage = ({ unified, legacy }: NamedGroups): ContainerUsage => ({
  ...readLegacyUsage(legacy),
  ...(unified !== undefined && readUnifiedUsage(unified)),
});

/** cgroup v2. */
export function readUnifiedUsage(folder: string): ContainerUsage {
  const io = readText(folder, 'io.stat');
  return toUsage({
    peakRamBytes: readNumber(folder, 'memory.peak'),
    cpuUserSeconds: scale(readKeyed(folder, 'cpu.stat', 'user_usec'), 1e6),
    cpuSystemSeconds: scale(readKeyed(folder, 'cpu.stat', 'system_usec'), 1e6),
    readBytes: io === '' ? undefined : sum(io, /\brbytes=(\d+)/g),
    writtenBytes: io === '' ? undefined : sum(io, /\bwbytes=(\d+)/g),
  });
}

/** cgroup v1, those of its hierarchies that there are. */
export function readLegacyUsage({ memory, cpuacct, blkio }: NamedGroups['legacy']): ContainerUsage {
  const io = blkio === undefined ? '' : readText(blkio, 'blkio.throttle.io_service_bytes_recursive');
  return toUsage({
    peakRamBytes: memory === undefined ? undefined : readNumber(memory, 'memory.max_usage_in_bytes'),
    cpuUserSeconds:
      cpuacct === undefined ? undefined : scale(readKeyed(cpuacct, 'cpuacct.stat', 'user'), ticksPerSecond),
    cpuSystemSeconds:
      cpuacct === undefined ? undefined : scale(readKeyed(cpuacct, 'cpuacct.stat', 'system'), ticksPerSecond),
    readBytes: io === '' ? undefined : sum(io, /^\d+:\d+ Read (\d+)$/gm),
    writtenBytes: io === '' ? undefined : sum(io, /^\d+:\d+ Write (\d+)$/gm),
  });
}

const scale = (value: number | undefined, unit: number): number | undefined =>
  value === undefined ? undefined : value / unit;

const sum = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);

type Figures = { readonly [Key in keyof ContainerUsage]: ContainerUsage[Key] | undefined };

const toUsage = (figures: Figures): ContainerUsage =>
  Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
