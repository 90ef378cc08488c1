import { fileURLToPath } from 'node:url';
import type { LoadedProcess } from '../../cwl/load.ts';
import type { Process } from '../../cwl/model.ts';
import { selectStep, selectStepProcess } from '../../job/workflow/single-step.ts';
import { selectTargets } from '../../job/workflow/targets.ts';
import { formatInputHelp } from '../arguments/input-flags.ts';
import { cliError } from '../errors.ts';
import type { RunFlags } from '../options/options.ts';
import type { CommandInputs } from './command-inputs.ts';
import { documentDependencies, inputDependencies } from './dependencies.ts';

export interface DescribeRequest extends CommandInputs {
  readonly flags: RunFlags;
  readonly help: boolean;
}

/** The part of the process that `--target`, `--single-step` or `--single-process` name; all of it without them. */
export function selectProcess(
  process: Process,
  flags: Pick<RunFlags, 'target' | 'singleStep' | 'singleProcess'>,
): Process {
  const { target = [], singleStep, singleProcess } = flags;
  const given = Object.entries({ target: target[0], 'single-step': singleStep, 'single-process': singleProcess });
  const [first, second] = given.filter(([, value]) => value !== undefined).map(([name]) => `--${name}`);
  if (first === undefined) return process;
  if (second !== undefined) throw cliError('cli/usage', `expected one of ${first} and ${second}, got both`);
  if (process.class !== 'Workflow')
    throw cliError('cli/usage', `${first}: expected a workflow, got a ${process.class}`, {
      hint: `leave ${first} out: a tool has no steps`,
    });
  if (singleStep !== undefined) return selectStep(process, singleStep);
  return singleProcess === undefined ? selectTargets(process, target) : selectStepProcess(process, singleProcess);
}

/** What the flags that only describe the document, or the part of it that is selected, print; undefined: run it. */
export async function describeDocument(
  { process, sources }: LoadedProcess,
  { documentUri, jobUri, job, flags, help }: DescribeRequest,
): Promise<string | undefined> {
  if (flags.validate) return `${shownName(documentUri)} is valid CWL.\n`;
  if (help || flags.toolHelp) return `${formatInputHelp(process)}\n`;
  if (flags.printPre) return toJsonText((await import('../../cwl/output/pack.ts')).unfold(process));
  if (flags.printDeps) return toJsonText(documentDependencies(documentUri, sources, flags));
  if (flags.printInputDeps) return toJsonText(inputDependencies(jobUri ?? documentUri, job.values, flags));
  if (flags.printTargets) return formatTargets(process);
  if (flags.printDot) return (await import('../../cwl/output/dot.ts')).toDot(process);
  if (flags.makeTemplate) return (await import('../../cwl/output/template.ts')).makeTemplate(process);
  if (flags.pack || flags.printSubgraph) return toJsonText((await import('../../cwl/output/pack.ts')).pack(process));
  return undefined;
}

const toJsonText = (value: unknown): string => `${JSON.stringify(value, null, 4)}\n`;

/** What `--target` takes. */
function formatTargets(process: Process): string {
  const sections: [string, readonly string[]][] = [
    ['outputs', process.outputs.map(({ id }) => id)],
    ['steps', process.class === 'Workflow' ? process.steps.map(({ name }) => name) : []],
  ];
  return sections
    .filter(([, names]) => names.length > 0)
    .map(([title, names]) => `${title}:\n${names.map((name) => `  ${name}\n`).join('')}`)
    .join('');
}

/** A document on this machine by its path. */
const shownName = (uri: string): string => (uri.startsWith('file:') ? fileURLToPath(uri) : uri);
