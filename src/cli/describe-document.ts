import { fileURLToPath } from 'node:url';
import type { LoadedProcess } from '../cwl/load.ts';
import type { Process } from '../cwl/model.ts';
import { selectTargets } from '../job/targets.ts';
import { formatInputHelp } from './input-flags.ts';
import type { RunFlags } from './options.ts';
import { cliError } from './usage-error.ts';

export interface DescribeRequest {
  readonly documentUri: string;
  readonly flags: RunFlags;
  readonly help: boolean;
}

/** The part of the process that `--target` names; all of it without the flag. */
export function selectProcess(process: Process, { target }: Pick<RunFlags, 'target'>): Process {
  if (target === undefined || target.length === 0) return process;
  if (process.class === 'Workflow') return selectTargets(process, target);
  throw cliError('cli/usage', `--target: expected a workflow, got a ${process.class}`, {
    hint: 'leave --target out: a tool has no steps',
  });
}

/** What the flags that only describe the document print; undefined: run it. */
export async function describeDocument(
  loaded: LoadedProcess,
  { documentUri, flags, help }: DescribeRequest,
): Promise<string | undefined> {
  const process = selectProcess(loaded.process, flags);
  if (flags.validate) return `${shownName(documentUri)} is valid CWL.\n`;
  if (help || flags.toolHelp) return `${formatInputHelp(process)}\n`;
  if (flags.printPre) return toJsonText(process);
  if (flags.printDeps) return toJsonText(toDependencies(documentUri, loaded.sources));
  if (flags.printTargets) return formatTargets(process);
  if (flags.printDot) return (await import('../cwl/output/dot.ts')).toDot(process);
  if (flags.makeTemplate) return (await import('../cwl/output/template.ts')).makeTemplate(process);
  if (flags.pack || flags.printSubgraph) return toJsonText((await import('../cwl/output/pack.ts')).pack(process));
  return undefined;
}

const toJsonText = (value: unknown): string => `${JSON.stringify(value, null, 4)}\n`;

/** The document as a File, what it reads as its secondaryFiles: the form of cwltool's `--print-deps`. */
function toDependencies(documentUri: string, sources: readonly string[]) {
  const location = documentUri.split('#')[0] ?? documentUri;
  const others = sources.filter((source) => source !== location);
  return {
    class: 'File',
    location,
    format: 'https://www.commonwl.org/#CWL',
    ...(others.length > 0 && { secondaryFiles: others.map((source) => ({ class: 'File', location: source })) }),
  };
}

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
