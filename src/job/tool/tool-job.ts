import type { CommandLineTool } from '../../cwl/model.ts';
import type { CwlObject, CwlValue } from '../../cwl/values.ts';
import { jobError, withPlace } from '../errors.ts';
import { bindExpressions, type ExpressionEngine, type Expressions } from '../evaluate.ts';
import { type FileObject, mapFileObjects, mapTree } from '../file-objects.ts';
import type { JobFiles } from '../files.ts';
import { checkFormats, type FormatCheck, toProcessInputs } from '../inputs/inputs.ts';
import { loadInput } from '../inputs/load.ts';
import { checkSecondaryFiles } from '../inputs/secondary-files.ts';
import type { JobPaths, PreparedJob, Requirements, RuntimeContext, StepJob, ToolJob } from '../model.ts';
import { toOutputGlob } from '../outputs/output-glob.ts';
import { atRequirement, findRequirement } from '../requirements.ts';
import { evaluateWorkDir } from '../staging/initial-work-dir.ts';
import { mountInputs } from '../staging/keep-mounts.ts';
import { checkRelativePath } from '../staging/names.ts';
import { fromKeepPath, type Staged, stageInputs } from '../staging/staging.ts';
import { stageWorkDir } from '../staging/work-dir-mounts.ts';
import { buildCommandLine } from './command-line.ts';
import { evaluateEnvironment } from './environment.ts';
import { evaluateLauncher } from './mpi.ts';
import { evaluateResources, toRuntime } from './resources.ts';
import { refuseLeak, secretInputs, secretValues } from './secrets.ts';
import { evaluateRequirements, evaluateSettings } from './settings.ts';

export interface ToolJobOptions {
  readonly keep: JobFiles;
  readonly javascript: ExpressionEngine;
  /** `containerPaths` or `hostPaths`; in a container the tool's `dockerOutputDirectory` replaces `outdir`. */
  readonly paths: JobPaths;
  /** Whether the tool runs in a container, where any absolute path is its own. */
  readonly inContainer: boolean;
  readonly fitsFormat?: FormatCheck;
}

/** A step whose process is a CommandLineTool. */
export type ToolStep = StepJob & { readonly process: CommandLineTool };

/**
 * Inputs to command line, environment, mounts and amounts (CWL v1.2, CommandLineTool, section 4). Files in `inputs` have `keep:`
 * locations or are literals. Pure but for reading through `keep`; what it combined comes back beside the job.
 */
export async function toToolJob(step: ToolStep, options: ToolJobOptions): Promise<PreparedJob> {
  try {
    return await prepareJob(step, options);
  } catch (error) {
    throw withPlace(error, { ...step.process.position, step: step.name });
  }
}

async function prepareJob(step: ToolStep, options: ToolJobOptions): Promise<PreparedJob> {
  const { process: tool, requirements } = step;
  const staged: Staged = { collections: [], blocks: [] };
  const paths = options.inContainer ? toPaths(options.paths, requirements) : options.paths;
  const where = { ...tool.position, step: step.name };
  const bind = (inputs: CwlObject, runtime: Partial<RuntimeContext>): Expressions =>
    bindExpressions({
      javascript: options.javascript,
      requirements,
      inputs,
      runtime,
      cwlVersion: tool.cwlVersion,
      where,
    });

  const keep = overlayCollections(options.keep, staged);
  const given = toProcessInputs(tool, step.inputs, step.name);
  const inputs = await stageInputs(await loadInputs(tool, given, options.keep, requirements), { keep, paths, staged });
  const early = bind(inputs, { outdir: paths.outdir, tmpdir: paths.tmpdir });
  await checkSecondaryFiles(tool, inputs, early);
  await checkFormats(tool, inputs, early, options.fitsFormat);
  const resources = await atRequirement(requirements, 'ResourceRequirement', () =>
    evaluateResources(requirements, early, tool.cwlVersion),
  );
  const runtime = toRuntime(paths, resources);

  const isRequired = options.inContainer && findRequirement(requirements, 'DockerRequirement')?.isHint === false;
  const hidden = secretInputs(requirements);
  const secrets = secretValues(inputs, hidden);
  const workDir = await atRequirement(requirements, 'InitialWorkDirRequirement', async () => {
    const targets = { outdir: paths.outdir, mayBeAbsolute: isRequired };
    const entries = await evaluateWorkDir(requirements, bind(inputs, runtime), targets);
    return stageWorkDir(entries, { keep, paths, staged, secrets, inContainer: options.inContainer });
  });
  const seen = seeMoved(inputs, workDir.moved);
  const expressions = bind(seen, runtime);

  const command = await buildCommand(tool, seen, expressions, requirements);
  const environment = await atRequirement(requirements, 'EnvVarRequirement', () =>
    evaluateEnvironment(requirements, expressions),
  );
  refuseLeak(command, secrets, 'command line');
  refuseLeak(Object.values(environment), secrets, 'environment');
  const job: ToolJob = {
    name: step.name,
    command,
    environment,
    paths,
    mounts: [...mountInputs(seen, workDir.moved, paths.keep), ...workDir.mounts],
    ...(await evaluateStreams(tool, expressions, { paths, moved: workDir.moved })),
    resources,
    runtime,
    ...(await evaluateSettings(requirements, expressions, tool.cwlVersion)),
    outputGlob: await toOutputGlob(tool, expressions, paths.outdir),
    requirements: await evaluateRequirements(requirements, expressions),
    inputs: seen,
    secretInputs: hidden,
    inplace: isInplace(requirements) ? workDir.writable : new Map(),
  };
  return { job, ...staged };
}

/** DockerRequirement.dockerOutputDirectory (CWL v1.2, section 5.2). */
function toPaths(paths: JobPaths, requirements: Requirements): JobPaths {
  const docker = findRequirement(requirements, 'DockerRequirement');
  const outdir = docker?.fields.dockerOutputDirectory;
  if (outdir === undefined || outdir === null) return paths;
  if (typeof outdir === 'string' && outdir.startsWith('/'))
    return { ...paths, outdir: `/${checkRelativePath(outdir.slice(1), 'dockerOutputDirectory')}` };
  throw jobError(
    'job/bad-requirement',
    `dockerOutputDirectory: expected an absolute path, got ${JSON.stringify(outdir)}`,
    {
      hint: 'write a path such as "/output"',
      where: { ...docker?.position, field: 'dockerOutputDirectory' },
    },
  );
}

/** What each input asks to be loaded. Literals, which have no location yet, keep the contents and listing that they are. */
async function loadInputs(
  tool: CommandLineTool,
  given: CwlObject,
  keep: JobFiles,
  requirements: Requirements,
): Promise<CwlObject> {
  const inputs: Record<string, CwlValue> = {};
  const options = { keep, requirements, cwlVersion: tool.cwlVersion };
  for (const input of tool.inputs) inputs[input.id] = await loadInput(input, given[input.id] ?? null, options);
  return inputs;
}

/** Collections that are combined for this job can be opened before the caller has saved them. */
function overlayCollections(keep: JobFiles, staged: Staged): JobFiles {
  return {
    openCollection: async (hash) =>
      staged.collections.find(({ portableDataHash }) => portableDataHash === hash) ?? keep.openCollection(hash),
    readStart: (file, limitBytes) => keep.readStart(file, limitBytes),
  };
}

/** Inputs as they are seen once InitialWorkDirRequirement has placed some of them. */
function seeMoved(inputs: CwlObject, moved: ReadonlyMap<string, string>): CwlObject {
  if (moved.size === 0) return inputs;
  const move = (object: FileObject): FileObject => {
    const path = moved.get(object.location ?? '');
    if (path === undefined) return object;
    const parts = { path, basename: path.slice(path.lastIndexOf('/') + 1) };
    return object.class === 'File'
      ? { ...object, ...parts, dirname: path.slice(0, path.lastIndexOf('/')) }
      : { ...object, ...parts };
  };
  return mapFileObjects(inputs, (outer) => mapTree(outer, move));
}

async function buildCommand(
  tool: CommandLineTool,
  inputs: CwlObject,
  expressions: Expressions,
  requirements: Requirements,
): Promise<string[]> {
  const usesShell = findRequirement(requirements, 'ShellCommandRequirement') !== undefined;
  const command = await buildCommandLine(tool, inputs, expressions, usesShell);
  if (command.length > 0) return [...(await evaluateLauncher(requirements, expressions)), ...command];
  throw jobError('job/bad-binding', 'the command line is empty', {
    hint: 'give the tool a baseCommand or arguments',
    where: tool.position,
  });
}

type Streams = Pick<ToolJob, 'stdin' | 'stdout' | 'stderr'>;

async function evaluateStreams(
  tool: CommandLineTool,
  expressions: Expressions,
  staging: { readonly paths: JobPaths; readonly moved: ReadonlyMap<string, string> },
): Promise<Streams> {
  const evaluate = async (name: keyof Streams, toStream: (path: string) => string): Promise<Streams> => {
    const field = tool[name];
    if (field === undefined) return {};
    try {
      return { [name]: toStream(await evaluateName(field, name, expressions)) };
    } catch (error) {
      throw withPlace(error, { ...tool.position, field: name });
    }
  };
  return {
    ...(await evaluate('stdin', (path) => toStdinLocation(path, staging))),
    ...(await evaluate('stdout', (path) => checkRelativePath(path, 'stdout'))),
    ...(await evaluate('stderr', (path) => checkRelativePath(path, 'stderr'))),
  };
}

async function evaluateName(field: string, name: string, expressions: Expressions): Promise<string> {
  const value = await expressions.evaluate(field, name);
  if (typeof value === 'string') return value;
  throw jobError('job/bad-binding', `${name}: expected a path, got ${JSON.stringify(value)?.slice(0, 120)}`, {
    hint: 'let the expression return a string, such as $(inputs.file.path)',
  });
}

function toStdinLocation(
  path: string,
  staging: { readonly paths: JobPaths; readonly moved: ReadonlyMap<string, string> },
): string {
  const absolute = path.startsWith('/') ? path : `${staging.paths.outdir}/${path}`;
  const moved = [...staging.moved].find(([, target]) => target === absolute)?.[0];
  const location = moved ?? fromKeepPath(absolute, staging.paths.keep);
  if (location !== undefined) return location;
  throw jobError('job/bad-binding', `stdin: expected the path of an input file, got ${JSON.stringify(path)}`, {
    hint: 'write $(inputs.name.path)',
  });
}

function isInplace(requirements: Requirements): boolean {
  return findRequirement(requirements, 'InplaceUpdateRequirement')?.fields.inplaceUpdate === true;
}
