import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonValue } from '../../core/json.ts';
import { checkInputs } from '../../cwl/input/check.ts';
import { expandFormats, lazyOntology } from '../../cwl/input/format.ts';
import { withValues } from '../../cwl/input/job.ts';
import { type LoadedProcess, loadDocument } from '../../cwl/load.ts';
import { pack } from '../../cwl/output/pack.ts';
import type { Problem } from '../../cwl/problem.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { allFileObjects } from '../../job/file-objects.ts';
import type { RunInputs } from '../../run/run-inputs.ts';
import { type RunResult, runProcess } from '../../run/run-process.ts';
import { readInputFlags } from '../arguments/input-flags.ts';
import {
  type CommandInputs,
  type NamedInputs,
  readCommandInputs,
  readOverridesFile,
} from '../document/command-inputs.ts';
import { describeDocument, selectProcess } from '../document/describe-document.ts';
import { look } from '../document/look.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGitFacts } from '../git-facts.ts';
import { listenForInterruption } from '../interruption.ts';
import type { RunFlags } from '../options/options.ts';
import { commandLineSource, formatProblem } from '../report/report-error.ts';
import { reportRun } from '../report/report-run.ts';
import { flagsOfRecord, toRunOptions, toSessionOptions } from '../run-settings.ts';
import { withSession } from '../session.ts';
import { openProgress } from '../terminal/open.ts';
import { createReach, type Reach } from '../wire/documents.ts';
import type { ClusterHandle } from '../wire/handle.ts';

export interface CommandFlags {
  readonly flags: RunFlags;
  /** Values of inputs, `--name value`. */
  readonly inputArgs: readonly string[];
  readonly help: boolean;
  /** What is to be told about the flags themselves. */
  readonly notes: readonly string[];
}

export interface RunCommand extends NamedInputs {
  /** The flags, when `inputs` are names of the document's inputs: behind the document these come first. */
  readonly readFlags: (inputs?: ReadonlySet<string>) => CommandFlags;
  /** Called with the run once it has ended; for `rerun`. */
  readonly onEnd?: (result: RunResult, cluster: ClusterHandle) => Promise<void>;
}

/** Runs, validates or describes one document. Gives the exit code. */
export async function runCommand(command: RunCommand): Promise<number> {
  const { flags: early } = command.readFlags();
  const reach = createReach(early);
  const given = await readCommandInputs(command, early, reach);
  const document = await load(given, early, reach);
  const { flags, inputArgs, help, notes } = command.readFlags(inputNames(document, early));
  const loaded = { ...document, process: selectProcess(document.process, flags) };
  if (!flags.quiet) printWarnings(notes, loaded.warnings, flags);
  const described = await describeDocument(loaded, { ...given, flags, help });
  if (described !== undefined) {
    process.stdout.write(described);
    return exitCodes.success;
  }
  const flagged = readInputFlags(loaded.process, inputArgs, process.cwd());
  const job = withValues(given.job, flagged, commandLineSource);
  const values = expandFormats(job.values, loaded.namespaces) as CwlObject;
  for (const { location = '' } of allFileObjects(values)) if (/^https?:/.test(location)) reach.trust(location);
  const { inputs, warnings } = checkInputs(loaded.process, { ...job, values }, look);
  if (!flags.quiet) printWarnings([], warnings, flags);
  const placed = { inputs, inputsRoot: job.root };
  const { documentUri } = given;
  if (flags.plan) {
    const { planCommand } = await import('./plan.ts');
    const request = { process: loaded.process, name: nameOf(documentUri), ...placed };
    const fitsFormat = lazyOntology(flags.skipSchemas ? [] : loaded.schemas, reach.fetcher);
    return planCommand(request, { flags, reach, fitsFormat, options: await toRunOptions(flags) });
  }
  return execute({ command, flags, reach, loaded, documentUri, placed, given: values });
}

async function load({ documentUri, job }: CommandInputs, flags: RunFlags, reach: Reach): Promise<LoadedProcess> {
  return loadDocument(documentUri, {
    fetcher: reach.fetcher,
    overrides: [...job.overrides, ...(await readOverridesFile(flags, reach))],
    ...(job.requirements && { jobRequirements: job.requirements }),
    enableDev: flags.enableDev === true,
    strict: flags.strict,
  });
}

const inputNames = ({ process }: LoadedProcess, flags: RunFlags): Set<string> =>
  new Set(selectProcess(process, flags).inputs.map(({ id }) => id));

/** An input that nothing uses is told by `validate` only. */
function printWarnings(notes: readonly string[], warnings: readonly Problem[], flags: RunFlags): void {
  for (const note of notes) process.stderr.write(`warning: ${note}\n`);
  for (const warning of flags.warnings ? warnings : []) {
    if (warning.rule !== 'unused' || flags.validate) process.stderr.write(`${formatProblem(warning)}\n`);
  }
}

interface Execution {
  readonly command: RunCommand;
  readonly flags: RunFlags;
  readonly reach: Reach;
  readonly loaded: LoadedProcess;
  readonly documentUri: string;
  readonly placed: RunInputs;
  /** As the user gave them, for the record. */
  readonly given: CwlObject;
}

async function execute({ command, flags, reach, loaded, documentUri, placed, given }: Execution): Promise<number> {
  const interruption = listenForInterruption();
  const progress = await openProgress(flags);
  try {
    return await withSession(toSessionOptions(flags, reach), async (session) => {
      const record = {
        document: documentUri,
        packed: pack(loaded.process),
        inputs: given as JsonValue,
        flags: flagsOfRecord(flags),
        gitFacts: await gitFactsOf(documentUri),
      };
      const request = { process: loaded.process, name: flags.name ?? nameOf(documentUri), ...placed, record };
      const services = {
        ...session.services,
        fitsFormat: lazyOntology(flags.skipSchemas ? [] : loaded.schemas, reach.fetcher),
        emit: progress.event,
        gitFacts: readGitFacts,
      };
      const signal = AbortSignal.any([interruption.signal, session.failed]);
      const result = await runProcess(request, services, await toRunOptions(flags), signal);
      await progress.end();
      interruption.check();
      session.failed.throwIfAborted();
      const code = await reportRun(result, flags, session.cluster);
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

/** Of the folder of a document on this machine. */
const gitFactsOf = async (uri: string) =>
  (uri.startsWith('file:') ? await readGitFacts(dirname(fileURLToPath(uri)), 'document') : undefined) ?? {};

const nameOf = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);
