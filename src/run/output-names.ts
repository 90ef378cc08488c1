import type { CwlDirectory, CwlFile } from '../cwl/values.ts';
import { nameOf, splitName } from '../job/file-objects.ts';
import { runError } from './errors.ts';

/** The name that an output asks for. One that is no plain name would be written somewhere else: `run/outputs-failed`. */
export function outputName(output: CwlFile | CwlDirectory): string {
  const name = nameOf(output) ?? 'output';
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name;
  throw runError(
    'run/outputs-failed',
    `expected a plain file name as basename of an output, got ${JSON.stringify(name)}`,
    {
      hint: 'the tool or expression that gave it the name has to give another',
    },
  );
}

/** What an output is, whatever else is said of it: two outputs of one content and name are one file. */
export function contentOf(output: CwlFile | CwlDirectory): string {
  if (output.class === 'Directory') return JSON.stringify(output);
  const { location, contents } = output;
  return location ?? JSON.stringify([contents]);
}

export interface Wanted {
  readonly name: string;
  /** As of `contentOf`. */
  readonly content: string;
}

/**
 * Takes names for a file and its secondaryFiles: as they are or, where one is taken by another content, all with the same number,
 * so that they still belong together: `a.bam`, `a.bam.bai` → `a_2.bam`, `a_2.bam.bai`. `taken` has the content of each name.
 */
export function takeNames(wanted: readonly Wanted[], taken: Map<string, string>): string[] {
  if (new Set(wanted.map(({ name }) => name)).size < wanted.length)
    return wanted.flatMap((one) => takeNames([one], taken));
  const root = splitName(wanted[0]?.name ?? '').nameroot;
  for (let count = 1; ; count += 1) {
    const named = wanted.map(({ name, content }) => ({
      name: count === 1 ? name : withNumber(name, root, count),
      content,
    }));
    if (named.some(({ name, content }) => (taken.get(name) ?? content) !== content)) continue;
    for (const { name, content } of named) taken.set(name, content);
    return named.map(({ name }) => name);
  }
}

function withNumber(name: string, root: string, count: number): string {
  if (name.startsWith(root)) return `${root}_${count}${name.slice(root.length)}`;
  const { nameroot, nameext } = splitName(name);
  return `${nameroot}_${count}${nameext}`;
}
