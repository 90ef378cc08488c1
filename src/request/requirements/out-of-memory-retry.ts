import type { ToolJob } from '../../job/model.ts';
import { arvadosPrefix } from '../../job/requirements.ts';
import { numberField, stringField } from '../fields.ts';

export interface OutOfMemoryRetry {
  /** By this the memory grows; above 1. */
  readonly multiplier: number;
  /** In the log of a container that failed: it ran out of memory. Absent: as the container's record says. */
  readonly pattern?: string;
}

/** `arv:OutOfMemoryRetry`; the schema knows an older spelling of the multiplier. undefined: no second attempt. */
export function findOutOfMemoryRetry(job: Pick<ToolJob, 'requirements'>): OutOfMemoryRetry | undefined {
  const entry = job.requirements.find(({ class: name }) => name === `${arvadosPrefix}OutOfMemoryRetry`);
  if (!entry) return undefined;
  const multiplier = numberField(entry, 'memoryRetryMultiplier') || numberField(entry, 'memoryRetryMultipler') || 2;
  const pattern = stringField(entry, 'memoryErrorRegex');
  return { multiplier, ...(pattern !== undefined && { pattern }) };
}
