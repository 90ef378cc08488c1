import { loopInputs } from './process.ts';
import { type FieldShape, from, idMap, list, oneOf, optional, record, required } from './shape.ts';

const stringOrExpression = ['string', 'expression'] as const;
const strings = ['string', list('string')] as const;
const amount = optional(['int', 'expression', from('v1.2', 'number')]);
const count = optional(['int', 'expression']);

export const arvadosPrefix = 'http://arvados.org/cwl#';
export const cwltoolPrefix = 'http://commonwl.org/cwltool#';
export const hallmarkPrefix = 'urn:hallmark:cwl#';

export interface RequirementShape {
  readonly fields: Readonly<Record<string, FieldShape>>;
  readonly since?: 'v1.1' | 'v1.2';
}

const dirent = record('Dirent', {
  entryname: optional(stringOrExpression),
  entry: required(stringOrExpression),
  writable: optional('boolean'),
});
const environmentDef = record('EnvironmentDef', {
  envName: required('string'),
  envValue: required(stringOrExpression),
});
const softwarePackage = record('SoftwarePackage', {
  package: required('string'),
  version: optional(list('string')),
  specs: optional(list('string')),
});

/** The requirements of CWL v1.2.1. `any` stands where fields are read elsewhere. */
const standardRequirements: Readonly<Record<string, RequirementShape>> = {
  InlineJavascriptRequirement: { fields: { expressionLib: optional(list('string')) } },
  SchemaDefRequirement: { fields: { types: required('any') } },
  DockerRequirement: {
    fields: {
      dockerPull: optional('string'),
      dockerLoad: optional('string'),
      dockerFile: optional('string'),
      dockerImport: optional('string'),
      dockerImageId: optional('string'),
      dockerOutputDirectory: optional('string'),
      [`${arvadosPrefix}dockerCollectionPDH`]: optional('string'),
    },
  },
  SoftwareRequirement: { fields: { packages: required(idMap(softwarePackage, 'package', 'specs')) } },
  InitialWorkDirRequirement: {
    fields: { listing: required(['expression', list(['null', 'expression', dirent, 'any'])]) },
  },
  EnvVarRequirement: { fields: { envDef: required(idMap(environmentDef, 'envName', 'envValue')) } },
  ShellCommandRequirement: { fields: {} },
  ResourceRequirement: {
    fields: {
      coresMin: amount,
      coresMax: amount,
      ramMin: amount,
      ramMax: amount,
      tmpdirMin: amount,
      tmpdirMax: amount,
      outdirMin: amount,
      outdirMax: amount,
    },
  },
  WorkReuse: { since: 'v1.1', fields: { enableReuse: required(['boolean', 'expression']) } },
  NetworkAccess: { since: 'v1.1', fields: { networkAccess: required(['boolean', 'expression']) } },
  InplaceUpdateRequirement: { since: 'v1.1', fields: { inplaceUpdate: required('boolean') } },
  ToolTimeLimit: { since: 'v1.1', fields: { timelimit: required(['int', 'expression']) } },
  LoadListingRequirement: {
    since: 'v1.1',
    fields: { loadListing: optional(oneOf('no_listing', 'shallow_listing', 'deep_listing')) },
  },
  SubworkflowFeatureRequirement: { fields: {} },
  ScatterFeatureRequirement: { fields: {} },
  MultipleInputFeatureRequirement: { fields: {} },
  StepInputExpressionRequirement: { fields: {} },
};

const propertyDef = record('PropertyDef', { propertyName: required('string'), propertyValue: required('any') });
const serviceDef = record('ServiceDef', {
  servicePort: required('string'),
  serviceAccess: required(oneOf('public', 'private')),
  label: optional('string'),
  initialPath: optional('string'),
});
const gpu = (name: string): Readonly<Record<string, FieldShape>> => ({
  [`${name}DeviceCountMin`]: count,
  [`${name}DeviceCountMax`]: count,
  [`${name}Vram`]: amount,
});

const arvados: Readonly<Record<string, Readonly<Record<string, FieldShape>>>> = {
  RunInSingleContainer: {},
  SeparateRunner: { runnerProcessName: optional(stringOrExpression) },
  RuntimeConstraints: {
    keep_cache: optional('int'),
    outputDirType: optional(oneOf('local_output_dir', 'keep_output_dir')),
  },
  PartitionRequirement: { partition: required(strings) },
  APIRequirement: {},
  IntermediateOutput: { outputTTL: required('int') },
  WorkflowRunnerResources: {
    ramMin: optional('int'),
    coresMin: optional('int'),
    keep_cache: optional('int'),
    acrContainerImage: optional('string'),
  },
  ClusterTarget: { cluster_id: optional('string'), project_uuid: optional('string') },
  OutputStorageClass: { intermediateStorageClass: optional(strings), finalStorageClass: optional(strings) },
  ProcessProperties: { processProperties: required(idMap(propertyDef, 'propertyName', 'propertyValue')) },
  OutputCollectionProperties: { outputProperties: required(idMap(propertyDef, 'propertyName', 'propertyValue')) },
  UsePreemptible: { usePreemptible: required('boolean') },
  PreemptionBehavior: { resubmitNonPreemptible: required('boolean') },
  OutOfMemoryRetry: {
    memoryErrorRegex: optional('string'),
    memoryRetryMultiplier: optional('number'),
    memoryRetryMultipler: optional('number'),
  },
  KeepCacheTypeRequirement: { keepCacheType: optional(oneOf('ram_cache', 'disk_cache')) },
  ROCmRequirement: { rocmDriverVersion: required('string'), rocmTarget: required(strings), ...gpu('rocm') },
  PublishPorts: { publishPorts: required(idMap(serviceDef, 'servicePort')) },
  ReuseRequirement: { enableReuse: required(['boolean', 'expression']) },
};

const cwltool: Readonly<Record<string, Readonly<Record<string, FieldShape>>>> = {
  Secrets: { secrets: required(list('string')) },
  CUDARequirement: { cudaVersionMin: required('string'), cudaComputeCapability: required(strings), ...gpu('cuda') },
  MPIRequirement: { processes: required(['int', 'expression']) },
  ShmSize: { shmSize: required('string') },
  Loop: {
    loopWhen: required('expression'),
    loop: required(loopInputs('loopSource')),
    outputMethod: optional(oneOf('last', 'all')),
  },
};

const hallmark: Readonly<Record<string, Readonly<Record<string, FieldShape>>>> = {
  ImageBuild: {
    context: optional('any'),
    dockerfile: optional('string'),
    buildArgs: optional('any'),
    target: optional('string'),
    platform: optional('string'),
  },
  Executor: { executor: required(oneOf('sandbox', 'docker', 'podman', 'apptainer', 'singularity')) },
};

const withPrefix = (prefix: string, shapes: typeof arvados): [string, RequirementShape][] =>
  Object.entries(shapes).map(([name, fields]) => [prefix + name, { fields }]);

/** Every requirement that is carried out, by its name or full URI. */
export const requirementShapes: ReadonlyMap<string, RequirementShape> = new Map([
  ...Object.entries(standardRequirements),
  ...withPrefix(arvadosPrefix, arvados),
  ...withPrefix(cwltoolPrefix, cwltool),
  ...withPrefix(hallmarkPrefix, hallmark),
]);

/** Names that later versions of CWL took over from extensions. */
export const renamedRequirements: ReadonlyMap<string, string> = new Map([
  [`${cwltoolPrefix}WorkReuse`, 'WorkReuse'],
  [`${arvadosPrefix}ReuseRequirement`, 'WorkReuse'],
  [`${cwltoolPrefix}TimeLimit`, 'ToolTimeLimit'],
  [`${cwltoolPrefix}NetworkAccess`, 'NetworkAccess'],
  [`${cwltoolPrefix}InplaceUpdateRequirement`, 'InplaceUpdateRequirement'],
  [`${cwltoolPrefix}LoadListingRequirement`, 'LoadListingRequirement'],
]);
