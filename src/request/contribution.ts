import type { ContainerRequest, Mounts, RuntimeConstraints, SchedulingParameters } from '../api/records.ts';
import type { JsonObject } from '../core/json.ts';
import type { EffectiveRequirement, ToolJob } from '../job/model.ts';

/** What one requirement adds to a container request; later ones win. */
export interface Contribution {
  readonly attributes?: Partial<ContainerRequest>;
  readonly runtimeConstraints?: Partial<RuntimeConstraints>;
  readonly schedulingParameters?: Partial<SchedulingParameters>;
  readonly mounts?: Mounts;
  readonly properties?: JsonObject;
}

export interface RequestOptions {
  /** 1 to 1000; default 500. */
  readonly priority?: number;
  /** Seconds until outputs of steps are trashed; 0, the default: never. An `arv:IntermediateOutput` hint wins. */
  readonly outputTtl?: number;
  /** False: no request is answered by an earlier container. */
  readonly reuse?: boolean;
  /** True or undefined as `--enable-preemptible`; false: never, whatever the hints say. */
  readonly preemptible?: boolean;
  readonly storageClasses?: readonly string[];
  /** False where the cluster keeps its Keep cache in memory (`DefaultKeepCacheRAM` above 0). */
  readonly usesDiskCache?: boolean;
}

/** Pure. `entry` is evaluated: its fields hold values, no expressions. */
export type MapRequirement = (entry: EffectiveRequirement, context: RequestContext) => Contribution;

export interface RequestContext {
  readonly job: ToolJob;
  readonly options: RequestOptions;
}
