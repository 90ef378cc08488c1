import { arvadosPrefix, cwltoolPrefix, hallmarkPrefix } from '../../job/requirements.ts';
import type { MapRequirement } from '../contribution.ts';
import { mapApi } from './api.ts';
import { mapClusterTarget } from './cluster-target.ts';
import { mapExecutor } from './executor.ts';
import { mapCuda, mapRocm } from './gpu.ts';
import { mapIntermediateOutput } from './intermediate-output.ts';
import { mapNetworkAccess } from './network-access.ts';
import { mapPartition } from './partition.ts';
import { mapPreemptible } from './preemptible.ts';
import { mapOutputProperties, mapProcessProperties } from './properties.ts';
import { mapPublishPorts } from './publish-ports.ts';
import { mapRuntimeConstraints } from './runtime-constraints.ts';
import { mapStorageClass } from './storage-class.ts';

/** By class, in the order in which they are applied: what comes later wins. Other classes concern other rooms. */
export const requirementMappers: readonly (readonly [string, MapRequirement])[] = [
  ['NetworkAccess', mapNetworkAccess],
  [`${arvadosPrefix}APIRequirement`, mapApi],
  [`${arvadosPrefix}RuntimeConstraints`, mapRuntimeConstraints],
  [`${arvadosPrefix}PartitionRequirement`, mapPartition],
  [`${arvadosPrefix}IntermediateOutput`, mapIntermediateOutput],
  [`${arvadosPrefix}OutputStorageClass`, mapStorageClass],
  [`${cwltoolPrefix}CUDARequirement`, mapCuda],
  [`${arvadosPrefix}ROCmRequirement`, mapRocm],
  [`${arvadosPrefix}UsePreemptible`, mapPreemptible],
  [`${arvadosPrefix}ClusterTarget`, mapClusterTarget],
  [`${arvadosPrefix}ProcessProperties`, mapProcessProperties],
  [`${arvadosPrefix}OutputCollectionProperties`, mapOutputProperties],
  [`${arvadosPrefix}PublishPorts`, mapPublishPorts],
  [`${hallmarkPrefix}Executor`, mapExecutor],
];
