import type { MapRequirement } from '../contribution.ts';

/** `networkAccess: false` is said too, as arvados-cwl-runner does; the job has evaluated it. */
export const mapNetworkAccess: MapRequirement = (_entry, { job }) => ({
  runtimeConstraints: { API: job.networkAccess },
});
