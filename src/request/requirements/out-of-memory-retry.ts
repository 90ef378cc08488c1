import type { ToolJob } from '../../job/model.ts';
import { arvadosPrefix } from '../../job/requirements.ts';
import { numberField, stringField } from '../fields.ts';

export interface OutOfMemoryRetry {
  /** By this the memory grows. */
  readonly multiplier: number;
  /** Regular expression, of lines and without case: in the log of a container that failed, it ran out of memory. */
  readonly pattern: string;
}

/** Of `arvados_cwl/arvcontainer.py`. */
const defaultPattern = '(bad_alloc|out ?of ?memory|memory ?error|container using over 9.% of memory)';

/** `arv:OutOfMemoryRetry`; the schema knows an older spelling of the multiplier. undefined: no second attempt. */
export function findOutOfMemoryRetry(job: Pick<ToolJob, 'requirements'>): OutOfMemoryRetry | undefined {
  const entry = job.requirements.find(({ class: name }) => name === `${arvadosPrefix}OutOfMemoryRetry`);
  if (!entry) return undefined;
  return {
    multiplier: numberField(entry, 'memoryRetryMultiplier') || numberField(entry, 'memoryRetryMultipler') || 2,
    pattern: stringField(entry, 'memoryErrorRegex') || defaultPattern,
  };
}
