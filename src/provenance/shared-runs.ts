import type { ClusterApi } from '../api/port.ts';
import type { Uuid } from '../core/ids.ts';
import { runOf } from './recipe.ts';
import { listAll } from './records.ts';

/** Which runs took the results of which containers. One container serves many runs: that is reuse. */
export interface SharedRuns {
  /**
   * Whether a container may have got from `maker` what all of `makers` made alike. In a run that took it from others of them, it
   * did not; in a run that took it from none it came as an input, of whatever origin.
   */
  mayHaveGot(user: Uuid, maker: Uuid, makers: ReadonlySet<Uuid>): boolean;
}

/** Reads every request once. */
export async function readSharedRuns(api: ClusterApi): Promise<SharedRuns> {
  const requests = await listAll(api, 'container_requests', {
    select: ['uuid', 'container_uuid', 'requesting_container_uuid', 'properties', 'created_at'],
  });
  const runs = new Map<Uuid, Set<Uuid | undefined>>();
  const containers = new Map<Uuid, Set<Uuid>>();
  for (const request of requests) {
    const { container_uuid: container } = request;
    if (container === null) continue;
    const { run } = runOf(request);
    runs.set(container, (runs.get(container) ?? new Set()).add(run));
    if (run !== undefined) containers.set(run, (containers.get(run) ?? new Set()).add(container));
  }
  return {
    mayHaveGot(user, maker, makers) {
      const inRun = (run: Uuid | undefined): boolean => {
        const own = makers.intersection((run && containers.get(run)) ?? new Set());
        return own.size === 0 || own.has(maker);
      };
      return [...(runs.get(user) ?? [undefined])].some(inRun);
    },
  };
}
