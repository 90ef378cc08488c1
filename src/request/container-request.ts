import {
  type ContainerRequest,
  hostImage,
  type RuntimeConstraints,
  type SchedulingParameters,
} from '../api/records.ts';
import { isPortableDataHash } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import { withoutNames, withoutPaths } from '../job/file-objects.ts';
import type { ToolJob } from '../job/model.ts';
import type { Contribution, RequestContext, RequestOptions } from './contribution.ts';
import { requestError } from './errors.ts';
import { toMounts, toSecretMounts } from './mounts.ts';
import { requirementMappers } from './requirements/index.ts';
import { toPreemptible } from './requirements/preemptible.ts';

/**
 * The container request of one job, committed: the very fields that arvados-cwl-runner 3.2 sends for the same tool and inputs
 * (`sdk/cwl/arvados_cwl/arvcontainer.py`), so that either reuses the other's containers. `image` is the portable data hash of an
 * image collection, or `hostImage`.
 */
export function toContainerRequest(
  job: ToolJob,
  image: string,
  options: RequestOptions = {},
): Partial<ContainerRequest> {
  if (image !== hostImage && !isPortableDataHash(image)) throw badImage(image);
  const { paths } = job;
  const contribution = merge(contributions({ job, options }));
  return {
    name: job.name,
    state: 'Committed',
    priority: options.priority ?? 500,
    command: job.command,
    container_image: image,
    cwd: paths.outdir,
    output_path: paths.outdir,
    output_glob: job.outputGlob,
    environment: { TMPDIR: paths.tmpdir, HOME: paths.outdir, ...job.environment },
    mounts: { ...toMounts(job), ...contribution.mounts },
    secret_mounts: toSecretMounts(job),
    runtime_constraints: { ...toConstraints(job), ...contribution.runtimeConstraints },
    scheduling_parameters: {
      ...(job.timeLimitSeconds > 0 && { max_run_time: job.timeLimitSeconds }),
      ...toCores(job),
      ...toDiskLimits(job),
      ...contribution.schedulingParameters,
    },
    use_existing: options.reuse !== false && job.enableReuse,
    output_name: `Output from step ${job.name}`.replaceAll('/', ' '),
    output_ttl: options.outputTtl ?? 0,
    ...(options.storageClasses && { output_storage_classes: options.storageClasses }),
    ...contribution.attributes,
    properties: { cwl_input: toInputRecord(job), ...contribution.properties },
  };
}

function* contributions(context: RequestContext): Generator<Contribution> {
  const { job, options } = context;
  if (options.preemptible !== undefined) yield toPreemptible(options.preemptible, context);
  for (const [name, map] of requirementMappers) {
    const entry = job.requirements.find(({ class: found }) => found === name);
    if (entry) yield map(entry, context);
  }
}

function merge(parts: Iterable<Contribution>): Contribution {
  let merged: Contribution = {};
  for (const part of parts) {
    merged = {
      attributes: { ...merged.attributes, ...part.attributes },
      runtimeConstraints: { ...merged.runtimeConstraints, ...part.runtimeConstraints },
      schedulingParameters: { ...merged.schedulingParameters, ...part.schedulingParameters },
      mounts: { ...merged.mounts, ...part.mounts },
      properties: { ...merged.properties, ...part.properties },
    };
  }
  return merged;
}

/** A v1.0 document has the network without asking: there is no requirement to map. */
function toConstraints({ resources, networkAccess }: ToolJob): RuntimeConstraints {
  return {
    vcpus: Math.max(1, Math.ceil(resources.cores)),
    ram: Math.max(1, resources.ramBytes),
    ...(networkAccess && { API: true }),
  };
}

/** CWL v1.2 has parts of cores, Arvados whole ones. */
const toCores = ({ resources: { cores } }: ToolJob): SchedulingParameters =>
  Number.isInteger(cores) && cores > 0 ? {} : { 'hm:cores': cores };

/** Of ResourceRequirement; a reservation is no limit. */
const toDiskLimits = ({ resources: { outdirMaxBytes, tmpdirMaxBytes } }: ToolJob): SchedulingParameters => ({
  ...(outdirMaxBytes && { 'hm:max_output': outdirMaxBytes }),
  ...(tmpdirMaxBytes && { 'hm:max_tmp': tmpdirMaxBytes }),
});

/** The input object as it is recorded: locations, no paths, no secrets. */
function toInputRecord({ inputs, secretInputs }: ToolJob): JsonObject {
  const hidden = secretInputs.filter((id) => id in inputs).map((id) => [id, '(secret)'] as const);
  return { ...(withoutNames(withoutPaths(inputs)) as JsonObject), ...Object.fromEntries(hidden) };
}

const badImage = (image: string) =>
  requestError(
    'request/bad-image',
    `expected the portable data hash of an image collection, got ${JSON.stringify(image)}`,
    {
      hint: 'resolve the image before the request is made',
    },
  );
