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

/**
 * Takes names for a file and its secondaryFiles: as they are or, where one is taken, all with the same number, so that they still
 * belong together: `a.bam`, `a.bam.bai` → `a_2.bam`, `a_2.bam.bai`.
 */
export function takeNames(names: readonly string[], taken: Set<string>): string[] {
  if (new Set(names).size < names.length) return names.flatMap((name) => takeNames([name], taken));
  const root = splitName(names[0] ?? '').nameroot;
  for (let count = 1; ; count += 1) {
    const free = count === 1 ? [...names] : names.map((name) => withNumber(name, root, count));
    if (free.some((name) => taken.has(name))) continue;
    for (const name of free) taken.add(name);
    return free;
  }
}

function withNumber(name: string, root: string, count: number): string {
  if (name.startsWith(root)) return `${root}_${count}${name.slice(root.length)}`;
  const { nameroot, nameext } = splitName(name);
  return `${nameroot}_${count}${nameext}`;
}
