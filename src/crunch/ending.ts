import type { RuntimeStatus } from '../api/records.ts';
import { firstCause, HallmarkError, isAbort, toMessage } from '../core/errors.ts';
import type { PortableDataHash } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';

/** What a container came to. Made once. */
export type Ending =
  | {
      readonly state: 'Complete';
      readonly exitCode: number;
      readonly output: PortableDataHash | null;
      readonly outputProperties: JsonObject;
      readonly status: RuntimeStatus;
    }
  | { readonly state: 'Cancelled'; readonly status: RuntimeStatus };

/** The end of a container whose infrastructure failed, or that somebody cancelled. */
export function cancelled(error: unknown, signal: AbortSignal): Ending {
  if (signal.aborted && (isAbort(error) || error === signal.reason || firstCause(error) === signal.reason)) {
    const reason = signal.reason instanceof HallmarkError ? signal.reason.message : 'the container was cancelled';
    return { state: 'Cancelled', status: { error: reason } };
  }
  return { state: 'Cancelled', status: toStatus(error) };
}

/** The first cause as the error; what it led to and what to do next as the detail. */
export function toStatus(error: unknown): RuntimeStatus {
  const chain = causes(error);
  const first = toMessage(chain.at(-1));
  const hints = chain
    .map((one) => (one instanceof HallmarkError ? one.hint : undefined))
    .filter((one) => one !== undefined);
  const detail = [...chain.slice(0, -1).map(toMessage), ...hints.slice(-1).map((hint) => `hint: ${hint}`)];
  return { error: first, ...(detail.length > 0 && { errorDetail: detail.join('\n') }) };
}

function causes(error: unknown): unknown[] {
  const chain = [error];
  for (let one = error; one instanceof Error && one.cause instanceof Error; one = one.cause) chain.push(one.cause);
  return chain;
}
