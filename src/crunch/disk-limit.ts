import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SchedulingParameters } from '../api/records.ts';
import { formatBytes } from '../core/units.ts';
import { crunchError } from './errors.ts';
import { withLimit } from './limit.ts';
import type { Place } from './mounts/places.ts';
import type { MountPlan } from './mounts/plan.ts';

/** Directories of the host that together may hold so much. */
interface DiskLimit {
  readonly what: 'output' | 'tmp';
  readonly directories: readonly string[];
  readonly maxBytes: number;
}

/** A look costs what the tree costs to walk: this part of the time goes into looking, at most. */
const lookingShare = 0.1;
const shortestWaitMs = 1000;

/** The limits of a container's disk, where its record names any. */
export function diskLimits(parameters: SchedulingParameters, { mounts }: MountPlan, place: Place): DiskLimit[] {
  const { 'hm:max_tmp': maxTmp, 'hm:max_output': maxOutput } = parameters;
  const apart = mounts.filter(
    ({ mount, inOutput, target }) => mount.kind === 'tmp' && !inOutput && target !== place.outputPath,
  );
  const directories = apart.map(({ target }) => place.hostPath(target)).filter((path) => path !== undefined);
  return [
    ...(maxOutput ? [{ what: 'output', directories: [place.outputDir], maxBytes: maxOutput } as const] : []),
    ...(maxTmp && directories.length > 0 ? [{ what: 'tmp', directories, maxBytes: maxTmp } as const] : []),
  ];
}

/**
 * Runs `task` with a signal that also ends when its directories hold more than they may. They are looked at from time to time,
 * and once when the task has ended, so that a command that was too quick for a look fails, too. Fails with `crunch/disk-limit`.
 */
export async function withDiskLimits<T>(
  limits: readonly DiskLimit[],
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (limits.length === 0) return task(signal);
  const watch = (reached: (reason: Error) => void) => {
    const over = new AbortController();
    repeat(async () => {
      const excess = await findExcess(limits);
      if (excess) reached(excess);
    }, over.signal).catch((error: unknown) => over.signal.aborted || reached(error as Error));
    return () => over.abort();
  };
  const result = await withLimit(signal, watch, task);
  const excess = await findExcess(limits);
  if (excess) throw excess;
  return result;
}

async function repeat(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let waitMs = shortestWaitMs; ; ) {
    await sleep(waitMs, undefined, { signal });
    const startMs = performance.now();
    await look();
    waitMs = Math.max(shortestWaitMs, (performance.now() - startMs) / lookingShare);
  }
}

async function findExcess(limits: readonly DiskLimit[]): Promise<Error | undefined> {
  for (const limit of limits) {
    const usedBytes = await usedBy(limit.directories);
    if (usedBytes > limit.maxBytes) return diskLimit(limit, usedBytes);
  }
  return undefined;
}

/** What the files take on disk, each counted once: a hole takes nothing. What vanishes meanwhile is not counted. */
function usedBy(directories: readonly string[]): Promise<number> {
  const args = ['--summarize', '--one-file-system', '--block-size=1', '--total', '--', ...directories];
  return new Promise((resolve, reject) => {
    execFile('du', args, { maxBuffer: 2 ** 24 }, (error, stdout) => {
      const total = /^(\d+)\ttotal$/m.exec(stdout)?.[1];
      if (total === undefined) reject(error);
      else resolve(Number(total));
    });
  });
}

function diskLimit({ what, maxBytes }: DiskLimit, usedBytes: number) {
  const directory = what === 'tmp' ? 'tmpdir' : 'outdir';
  const problem = `the command used ${formatBytes(usedBytes)} of the ${formatBytes(maxBytes)} that its ${directory} may hold`;
  return crunchError('crunch/disk-limit', problem, {
    hint: `raise ${directory}Max of its ResourceRequirement, or leave it out`,
  });
}
