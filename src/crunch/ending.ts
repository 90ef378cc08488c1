import type { RuntimeStatus } from '../api/records.ts';
import { firstCause, HallmarkError, isAbort, isHallmarkError, toMessage } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { ExecutorErrorCode } from '../executor/errors.ts';
import type { ImageErrorCode } from '../image/errors.ts';
import type { KeepErrorCode } from '../keep/errors.ts';
import type { CrunchErrorCode } from './errors.ts';

/** What a container came to. Made once. */
export type Ending =
  | {
      readonly state: 'Complete';
      readonly exitCode: number;
      readonly output: PortableDataHash | null;
      /** Ends when the cluster has a record of the output, or cannot have one. */
      readonly outputKept: Promise<unknown>;
      readonly outputProperties: JsonObject;
      readonly status: RuntimeStatus;
    }
  | { readonly state: 'Cancelled'; readonly status: RuntimeStatus };

/** The end of a container whose infrastructure failed, or that somebody cancelled. */
export function cancelled(error: unknown, signal: AbortSignal): Ending {
  const { reason } = signal;
  if (signal.aborted && (isAbort(error) || error === reason || firstCause(error) === reason)) {
    const because = reason instanceof Error && !isAbort(reason) ? `: ${reason.message}` : '';
    return { state: 'Cancelled', status: { error: `the container was cancelled${because}` } };
  }
  return { state: 'Cancelled', status: toStatus(error) };
}

/** The first cause that has a name of ours, else the first, as the error; the others and what to do next as the detail. */
export function toStatus(error: unknown): RuntimeStatus {
  const chain = causes(error);
  const first = toMessage(chain.findLast((one) => one instanceof HallmarkError) ?? chain.at(-1));
  const hints = chain
    .map((one) => (one instanceof HallmarkError ? one.hint : undefined))
    .filter((one) => one !== undefined);
  const hint = hints.at(-1) ?? (chain.some(isDiskFull) ? diskFullHint : undefined);
  const others = chain.map(toMessage).filter((message) => !first.includes(message));
  const detail = [...others, ...(hint === undefined ? [] : [`hint: ${hint}`])];
  const again = chain.some((one) => isHallmarkError(one, ...certain)) ? { retryable: false } : {};
  return { error: first, ...again, ...(detail.length > 0 && { errorDetail: detail.join('\n') }) };
}

const isDiskFull = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOSPC';
const diskFullHint = 'free some space, or set HALLMARK_HOME to a larger disk';

/** What the same record would meet again. */
const certain: readonly (CrunchErrorCode | ExecutorErrorCode | ImageErrorCode | KeepErrorCode)[] = [
  'executor/unavailable',
  'executor/no-user-namespaces',
  'image/registry-unreachable',
  'crunch/bad-record',
  'crunch/bad-mount',
  'crunch/bad-image',
  'crunch/bad-builtin',
  'crunch/bad-output',
  'crunch/bad-output-name',
  'crunch/time-limit',
  'crunch/disk-limit',
  'crunch/input-changed',
  'keep/no-such-file',
];

function causes(error: unknown): unknown[] {
  const chain = [error];
  for (let one = error; one instanceof Error && one.cause instanceof Error; one = one.cause) chain.push(one.cause);
  return chain;
}
