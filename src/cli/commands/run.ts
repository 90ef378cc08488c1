import { writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { JsonValue } from '../../core/json.ts';
import { checkInputs } from '../../cwl/input/check.ts';
import { expandFormats, lazyOntology } from '../../cwl/input/format.ts';
import { type InputObject, loadInputObject, parseInputObject } from '../../cwl/input/job.ts';
import { type LoadedProcess, loadDocument } from '../../cwl/load.ts';
import { pack } from '../../cwl/output/pack.ts';
import type { Override } from '../../cwl/overrides.ts';
import type { Fetcher } from '../../cwl/port.ts';
import type { Problem } from '../../cwl/problem.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { writeOutputs } from '../../run/outputs.ts';
import { type RunOptions, type RunResult, runProcess } from '../../run/run-process.ts';
import { readBuildSecrets } from '../build-secrets.ts';
import { describeDocument, selectProcess } from '../describe-document.ts';
import { toDocumentUri } from '../document-uri.ts';
import { toEngineOptions } from '../engine-options.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGitFacts } from '../git-facts.ts';
import { readInputFlags } from '../input-flags.ts';
import { listenForInterruption } from '../interruption.ts';
import type { RunFlags } from '../options.ts';
import { formatOutputs } from '../output-json.ts';
import { commandLineSource, exitCodeOf, formatError, formatProblem, toErrorJson } from '../report-error.ts';
import { type SessionOptions, withSession } from '../session.ts';
import { createStderrLogger } from '../stderr-logger.ts';
import { openProgress } from '../terminal/open.ts';
import { usageTable } from '../usage.ts';
import type { ClusterHandle } from '../wire/cluster.ts';
import { createFetcher } from '../wire/documents.ts';

export interface RunCommand {
  readonly document: string;
  readonly inputsFile?: string;
  /** Values as an earlier run had them, instead of an inputs file. */
  readonly inputValues?: CwlObject;
  readonly inputArgs: readonly string[];
  readonly flags: RunFlags;
  readonly help: boolean;
  /** Called with the run once it has ended; for `rerun`. */
  readonly onEnd?: (result: RunResult, cluster: ClusterHandle) => Promise<void>;
}

/** Runs, validates or describes one document. Gives the exit code. */
export async function runCommand(command: RunCommand): Promise<number> {
  const { flags } = command;
  const fetcher = createFetcher();
  const { documentUri, job } = await readCommandInputs(command, fetcher);
  const loaded = await loadDocument(documentUri, {
    fetcher,
    overrides: [...job.overrides, ...(await readOverridesFile(flags, fetcher))],
    ...(job.requirements && { jobRequirements: job.requirements }),
    enableDev: flags.enableDev === true,
    strict: flags.strict,
  });
  if (!flags.quiet) printWarnings(loaded.warnings, flags);
  const described = await describeDocument(loaded, { documentUri, flags, help: command.help });
  if (described !== undefined) {
    process.stdout.write(described);
    return exitCodes.success;
  }
  const selected = { ...loaded, process: selectProcess(loaded.process, flags) };
  const given = { ...job.values, ...readInputFlags(loaded.process, command.inputArgs, process.cwd()) } as CwlObject;
  const values = expandFormats(given, loaded.namespaces) as CwlObject;
  const checked = checkInputs(selected.process, { ...job, values });
  if (flags.plan) {
    const { planCommand } = await import('./plan.ts');
    const request = { process: selected.process, name: nameOf(documentUri), inputs: checked.inputs };
    const fitsFormat = lazyOntology(flags.skipSchemas ? [] : loaded.schemas, fetcher);
    return planCommand(request, { flags, fitsFormat, options: await toRunOptions(flags) });
  }
  return execute({ command, fetcher, loaded: selected, documentUri, inputs: checked.inputs, given: values });
}

/** `cwltool:overrides` of the file that `--overrides` names. */
async function readOverridesFile({ overrides }: RunFlags, fetcher: Fetcher): Promise<readonly Override[]> {
  if (overrides === undefined) return [];
  return (await loadInputObject(await toDocumentUri(overrides), fetcher)).overrides;
}

/** An input that nothing uses is told by `validate` only. */
function printWarnings(warnings: readonly Problem[], flags: RunFlags): void {
  for (const warning of warnings) {
    if (warning.rule !== 'unused' || flags.validate) process.stderr.write(`${formatProblem(warning)}\n`);
  }
}

interface Execution {
  readonly command: RunCommand;
  readonly fetcher: Fetcher;
  readonly loaded: LoadedProcess;
  readonly documentUri: string;
  readonly inputs: CwlObject;
  /** As the user gave them, for the record. */
  readonly given: CwlObject;
}

async function execute({ command, fetcher, loaded, documentUri, inputs, given }: Execution): Promise<number> {
  const { flags } = command;
  const interruption = listenForInterruption();
  const progress = await openProgress(flags);
  try {
    return await withSession(toSessionOptions(flags), async (session) => {
      const record = {
        document: documentUri,
        packed: pack(loaded.process),
        inputs: given as JsonValue,
        flags: flagsOfRecord(flags),
        gitFacts: (await readGitFacts(dirname(fileURLToPath(documentUri)))) ?? {},
      };
      const request = { process: loaded.process, name: nameOf(documentUri), inputs, record };
      const services = {
        ...session.services,
        fitsFormat: lazyOntology(flags.skipSchemas ? [] : loaded.schemas, fetcher),
        emit: progress.event,
        gitFacts: readGitFacts,
      };
      const result = await runProcess(request, services, await toRunOptions(flags), interruption.signal);
      await progress.end();
      interruption.check();
      const code = await report(result, flags, session.cluster);
      if (flags.usage) process.stderr.write(`\n${await usageTable(session.cluster.api, result.run)}\n`);
      await command.onEnd?.(result, session.cluster);
      return code;
    });
  } catch (error) {
    interruption.check();
    throw error;
  } finally {
    await progress.end();
    interruption.close();
  }
}

/** Output object on standard output, or every failure on standard error. */
async function report(result: RunResult, flags: RunFlags, cluster: ClusterHandle): Promise<number> {
  const failed = result.failures.length > 0 || result.status !== 'success';
  for (const text of new Set(result.failures.map((failure) => formatFailure(failure, flags))))
    process.stderr.write(`${text}\n`);
  if (failed) return exitCodeOf(result.failures[0] ?? new Error('the workflow failed'));
  const outputs = await writeOutputs(result.outputs, {
    api: cluster.api,
    blocks: cluster.blocks,
    outdir: resolve(flags.outdir),
    computeChecksum: flags.computeChecksum,
  });
  const printed = `${formatOutputs(outputs as JsonValue)}\n`;
  process.stdout.write(printed);
  if (flags.writeSummary !== undefined) await writeFile(flags.writeSummary, printed);
  return exitCodes.success;
}

const formatFailure = (failure: unknown, flags: RunFlags): string =>
  flags.json ? JSON.stringify(toErrorJson(failure), null, 2) : formatError(failure, { debug: flags.debug === true });

interface CommandInputs {
  readonly documentUri: string;
  readonly job: InputObject;
}

/** The document and its inputs; a job file with `cwl:tool` stands for both. */
async function readCommandInputs(
  { document, inputsFile, inputValues, flags }: RunCommand,
  fetcher: Fetcher,
): Promise<CommandInputs> {
  const documentUri = await toDocumentUri(document);
  const basedir = pathToFileURL(`${resolve(flags.basedir ?? '.')}/`).href;
  if (inputValues)
    return { documentUri, job: { ...parseInputObject('{}', `${basedir}${commandLineSource}`), values: inputValues } };
  if (inputsFile === undefined) {
    const job = /\.(ya?ml|json)$/.test(document)
      ? await loadInputObject(documentUri, fetcher).catch(() => undefined)
      : undefined;
    if (job?.tool !== undefined) return { documentUri: job.tool, job };
    return { documentUri, job: parseInputObject('{}', `${basedir}${commandLineSource}`) };
  }
  if (inputsFile === '-')
    return { documentUri, job: parseInputObject(await readAll(process.stdin), `${basedir}stdin.yml`) };
  const uri = await toDocumentUri(inputsFile);
  if (flags.basedir === undefined) return { documentUri, job: await loadInputObject(uri, fetcher) };
  return { documentUri, job: parseInputObject(await fetcher.fetchText(uri), `${basedir}${basename(inputsFile)}`) };
}

const nameOf = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);

function toSessionOptions(flags: RunFlags): SessionOptions {
  return {
    ...toEngineOptions(flags),
    evalTimeoutMs: flags.evalTimeout * 1000,
    logger: createStderrLogger(
      flags.debug ? 'debug' : flags.verbose ? 'info' : flags.quiet ? 'error' : 'warn',
      flags.timestamps,
    ),
    ...(flags.cachedir === undefined ? {} : { home: resolve(flags.cachedir) }),
    ...toWorkDir(flags.tmpdirPrefix ?? flags.tmpOutdirPrefix),
  };
}

/** One folder for all runs with the same prefix, so that each clears what a dead one left. */
const toWorkDir = (prefix: string | undefined) =>
  prefix === undefined ? {} : { workDir: resolve(`${prefix}hallmark`) };

async function toRunOptions(flags: RunFlags): Promise<RunOptions> {
  return {
    onError: flags.onError,
    reuse: flags.enableReuse && !flags.disableReuse,
    pull: flags.forceDockerPull ? 'always' : flags.disablePull ? 'never' : flags.pull,
    containers: flags.container,
    hostEnvironment: pickEnvironment(flags),
    buildSecrets: await readBuildSecrets(flags.secret ?? [], process.env),
    maxInFlight: 128,
    ...(flags.defaultContainer === undefined ? {} : { defaultContainer: flags.defaultContainer }),
  };
}

function pickEnvironment(flags: RunFlags): Record<string, string> {
  const wanted = Object.entries(process.env).filter(
    ([name]) => flags.preserveEntireEnvironment || flags.preserveEnvironment?.includes(name),
  );
  return Object.fromEntries(wanted.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** What a re-run needs to be the same run. */
const flagsOfRecord = (flags: RunFlags): Record<string, JsonValue> => ({
  container: flags.container,
  pull: flags.pull,
  ...(flags.defaultContainer === undefined ? {} : { defaultContainer: flags.defaultContainer }),
});
