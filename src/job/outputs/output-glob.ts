import { isHallmarkError } from '../../core/errors.ts';
import { hasExpression } from '../../cwl/expression/scan.ts';
import { isUnion } from '../../cwl/link/types.ts';
import type { CommandLineTool, CwlType, OutputBinding, SecondaryFile } from '../../cwl/model.ts';
import type { Expressions } from '../evaluate.ts';
import { applyPattern } from '../inputs/secondary-files.ts';

interface Wanted {
  readonly glob: string;
  readonly secondaryFile?: string;
}

/**
 * Patterns that cover every output, for `output_glob` of the container request: the container's other files are not kept.
 * Empty, which means everything, where they cannot be told before the tool has run. Written as arvados-cwl-runner does.
 */
export async function toOutputGlob(tool: CommandLineTool, expressions: Expressions, outdir: string): Promise<string[]> {
  const wanted: Wanted[] = [];
  for (const output of tool.outputs) {
    if (!collectWanted(output, wanted)) return [];
  }
  const patterns: string[] = [];
  for (const want of wanted) {
    const covered = await toPatterns(want, expressions, outdir);
    if (covered === undefined || covered.includes('**')) return [];
    patterns.push(...covered);
  }
  return patterns.length === 0 ? [] : [...patterns, 'cwl.output.json'];
}

interface OutputSchema {
  readonly type: CwlType;
  readonly outputBinding?: OutputBinding;
  readonly secondaryFiles?: readonly SecondaryFile[];
}

/** False when an output comes of an expression alone, which may name any file. */
function collectWanted(schema: OutputSchema, wanted: Wanted[]): boolean {
  if (!collectType(schema.type, wanted)) return false;
  const binding = schema.outputBinding;
  if (!binding) return true;
  if (binding.glob.length === 0) return binding.outputEval === undefined;
  for (const glob of binding.glob) wanted.push({ glob });
  for (const { pattern } of schema.secondaryFiles ?? []) {
    for (const glob of binding.glob) wanted.push({ glob, secondaryFile: pattern });
  }
  return true;
}

function collectType(type: CwlType, wanted: Wanted[]): boolean {
  if (typeof type === 'string') return true;
  if (isUnion(type)) return type.every((branch) => collectType(branch, wanted));
  if (type.type === 'array') return collectType(type.items, wanted);
  return type.type === 'enum' || type.fields.every((field) => collectWanted(field, wanted));
}

/** undefined: cannot be told. */
async function toPatterns(want: Wanted, expressions: Expressions, outdir: string): Promise<string[] | undefined> {
  const { secondaryFile } = want;
  if (secondaryFile !== undefined && hasExpression(secondaryFile)) return undefined;
  const value = await evaluateGlob(want.glob, expressions);
  if (value === undefined) return undefined;
  return value.flatMap((glob) => cover(besideGlob(relative(glob, outdir), secondaryFile), outdir));
}

/** An expression that needs the finished tool fails here, and is left to the outputs. */
async function evaluateGlob(glob: string, expressions: Expressions): Promise<string[] | undefined> {
  try {
    const value = await expressions.evaluate(glob, 'outputBinding.glob');
    const items = Array.isArray(value) ? value : [value];
    return items.every((item) => typeof item === 'string') ? items : undefined;
  } catch (error) {
    if (isHallmarkError(error)) return undefined;
    throw error;
  }
}

function relative(glob: string, outdir: string): string {
  const inside = glob.startsWith(`${outdir}/`) ? glob.slice(outdir.length + 1) : glob;
  return inside.replace(/^(\.\/)+/, '');
}

/** '' where a pattern that takes extensions off reaches back into a wildcard. */
function besideGlob(glob: string, secondaryFile: string | undefined): string {
  if (secondaryFile === undefined) return glob;
  const wildcard = Math.max(glob.indexOf('*'), glob.indexOf(']'));
  const carets = secondaryFile.split('^').length - 1;
  const dots = glob.slice(wildcard + 1).split('.').length - 1;
  return wildcard >= 0 && dots < carets ? '' : applyPattern(glob, secondaryFile);
}

function cover(glob: string, outdir: string): string[] {
  if (glob === '' || glob === '.' || glob === outdir) return ['**'];
  return glob.endsWith('/') ? [`${glob}**`] : [glob, `${glob}/**`];
}
