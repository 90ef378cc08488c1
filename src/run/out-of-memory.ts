import type { ClusterApi } from '../api/port.ts';
import { toMessage } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { formatBytes } from '../core/units.ts';
import type { ExpressionEngine } from '../job/evaluate.ts';
import type { ToolJob } from '../job/model.ts';
import type { BlockStore } from '../keep/port.ts';
import { findOutOfMemoryRetry } from '../request/requirements/out-of-memory-retry.ts';
import type { EndedContainer } from './ended-container.ts';
import { runError } from './errors.ts';
import type { RunListener } from './events.ts';
import { lastLines } from './log-tail.ts';

interface OutOfMemoryServices {
  readonly api: ClusterApi;
  readonly blocks: BlockStore;
  readonly javascript: ExpressionEngine;
  readonly emit: RunListener;
}

/** As many lines of its log as arvados-cwl-runner looks at. */
const logLines = 1000;
const matchTimeoutMs = 20_000;

/** The job to run in place of one that ran out of memory, where `arv:OutOfMemoryRetry` asks for it. */
export async function withMoreMemory(
  job: ToolJob,
  container: EndedContainer | undefined,
  services: OutOfMemoryServices,
): Promise<ToolJob | undefined> {
  const retry = findOutOfMemoryRetry(job);
  if (!retry || !container || !(await ranOutOfMemory(container, retry.pattern, services))) return undefined;
  const { ramBytes: before } = job.resources;
  const ramBytes = Math.ceil(before * retry.multiplier);
  const amounts = `${formatBytes(before)}: it is run again with ${formatBytes(ramBytes)}`;
  services.emit({ type: 'warning', message: `step ${job.name} ran out of memory with ${amounts}` });
  return { ...job, resources: { ...job.resources, ramBytes } };
}

/**
 * Whether a container that failed did so for want of memory: its record says so, or else its log. A record of a cluster that
 * does not tell leaves 137 (SIGKILL) to mean it, as arvados-cwl-runner has it.
 */
async function ranOutOfMemory(
  { exit_code, log, runtime_status: { outOfMemory } }: EndedContainer,
  pattern: string,
  services: OutOfMemoryServices,
): Promise<boolean> {
  if (outOfMemory ?? exit_code === 137) return true;
  return log !== null && (await matchesLog(pattern, log, services));
}

/** The pattern is the document's own: it is matched where its expressions run, and may not run for ever. */
async function matchesLog(
  pattern: string,
  log: PortableDataHash,
  { javascript, ...keep }: OutOfMemoryServices,
): Promise<boolean> {
  const files = await Promise.all(['stdout.txt', 'stderr.txt'].map((name) => lastLines(keep, log, name, logLines)));
  const inputs = { pattern, text: files.flat().join('\n') };
  try {
    const code = 'new RegExp(inputs.pattern, "im").test(inputs.text)';
    const globals = { inputs, self: null, runtime: null };
    return (await javascript.engine.evaluate({
      code,
      body: false,
      globals,
      library: [],
      timeoutMs: javascript.timeoutMs ?? matchTimeoutMs,
    })) as boolean;
  } catch (cause) {
    const problem = `OutOfMemoryRetry.memoryErrorRegex: cannot match ${JSON.stringify(pattern)}: ${toMessage(cause)}`;
    throw runError('run/bad-requirement', problem, { hint: 'write it as a regular expression of JavaScript', cause });
  }
}
