import { mayHaveChanged } from '../api/events.ts';
import type { ClusterApi } from '../api/port.ts';
import type { ContainerRequest } from '../api/records.ts';
import { isHallmarkError } from '../core/errors.ts';
import type { Uuid } from '../core/ids.ts';
import { runError } from './errors.ts';

/** What who waits for a request looks at: the work itself is the most of a record. */
const awaited = ['uuid', 'state', 'priority', 'container_uuid', 'command', 'properties'] as const;
export type AwaitedRequest = Pick<ContainerRequest, (typeof awaited)[number]>;

const answer = { select: awaited };

export interface RequestWaiter {
  /**
   * Resolves with the request once it is Final. Where `known` is what the cluster has just answered, in this turn of the event
   * loop, it is not asked again before something has changed.
   */
  wait(uuid: Uuid, signal?: AbortSignal, known?: AwaitedRequest): Promise<AwaitedRequest>;
  /** Ends the subscription. */
  close(): void;
}

/** When a request is asked for although no event has come, ever less often: events are a hint, the record is the truth. */
const pollMs = { first: 2000, last: 60_000 };

/** One subscription for all the requests of a run. */
export function createRequestWaiter(api: ClusterApi): RequestWaiter {
  const waiting = new Map<Uuid, () => void>();
  const stopWatching = api.watch((event) => {
    if (event.resource === 'container_requests' && mayHaveChanged(event, ['state'])) waiting.get(event.uuid)?.();
  });

  async function wait(uuid: Uuid, signal?: AbortSignal, known?: AwaitedRequest): Promise<AwaitedRequest> {
    let pauseMs = pollMs.first;
    for (let request = known; ; request = undefined) {
      let wake: () => void = () => {};
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      waiting.set(uuid, wake);
      request ??= await api.get('container_requests', uuid, answer);
      if (request.state === 'Final') {
        waiting.delete(uuid);
        return request;
      }
      signal?.throwIfAborted();
      const timer = setTimeout(wake, pauseMs);
      pauseMs = Math.min(pauseMs * 2, pollMs.last);
      signal?.addEventListener('abort', wake, { once: true });
      await changed;
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
    }
  }

  return { wait, close: stopWatching };
}

/** As `wait`; once the signal aborts, the request is cancelled and the call fails with `run/cancelled`. */
export async function awaitOrCancel(
  { api, waiter }: { readonly api: ClusterApi; readonly waiter: RequestWaiter },
  { uuid, what, known }: { readonly uuid: Uuid; readonly what: string; readonly known?: AwaitedRequest },
  signal?: AbortSignal,
): Promise<AwaitedRequest> {
  try {
    return await waiter.wait(uuid, signal, known);
  } catch (error) {
    if (!signal?.aborted) throw error;
    await cancelRequest(api, uuid);
    throw runError('run/cancelled', `${what} was cancelled`, { cause: error });
  }
}

/** It may have become Final meanwhile: then there is nothing to cancel. */
async function cancelRequest(api: ClusterApi, uuid: Uuid): Promise<void> {
  await api.update('container_requests', uuid, { priority: 0 }).catch((error: unknown) => {
    if (!isHallmarkError(error, 'api/forbidden-change')) throw error;
  });
}
