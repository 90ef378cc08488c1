import type { CopyInstruction, Instruction } from '../dockerfile/instructions.ts';
import type { BuildPlan, PlannedStage } from './model.ts';
import { findSource } from './stages.ts';

/**
 * The Dockerfile with each base under the name that `nameOf` gives to its reference, and with what `copyAdded` puts in the place of an ADD,
 * so that another builder takes just these images and asks nobody. Lines keep their numbers. Stages that the target does not need become empty ones, and the `syntax`
 * directive, which names a frontend to fetch, a comment. Pure.
 */
export function renameBases(
  plan: BuildPlan,
  nameOf: (reference: string) => string,
  copyAdded: (add: CopyInstruction) => string | undefined = () => undefined,
): string {
  const rows = plan.dockerfile.text.replace(/^\uFEFF/, '').split('\n');
  let stage: PlannedStage | undefined;
  for (const instruction of plan.dockerfile.instructions) {
    if (instruction.kind === 'from') stage = plan.stages[stage === undefined ? 0 : stage.index + 1];
    if (stage === undefined) continue;
    const rowCount = instruction.endLine - instruction.line + 1;
    const written = rows.slice(instruction.line - 1, instruction.endLine).join('\n');
    const renamed = plan.needed.includes(stage.index)
      ? renameIn(instruction, written, { stage, plan, nameOf, copyAdded })
      : emptied(instruction, stage);
    rows.splice(instruction.line - 1, rowCount, ...padded(renamed, rowCount));
  }
  return withoutSyntax(rows).join('\n');
}

interface Renaming {
  readonly stage: PlannedStage;
  readonly plan: BuildPlan;
  readonly nameOf: (reference: string) => string;
  readonly copyAdded: (add: CopyInstruction) => string | undefined;
}

function renameIn(instruction: Instruction, written: string, renaming: Renaming): string {
  const { stage, plan, nameOf, copyAdded } = renaming;
  const toName = (from: string): string | undefined => {
    if (/^\d+$/.test(from) || from.includes('$')) return undefined;
    const source = findSource(from, plan.stages, stage.index);
    return source.kind === 'image' ? nameOf(source.reference) : undefined;
  };
  switch (instruction.kind) {
    case 'from':
      return stage.base.kind === 'image' ? fromLine(nameOf(stage.base.reference), stage) : written;
    case 'add':
      return copyAdded(instruction) ?? written;
    case 'copy': {
      const name = instruction.from === undefined ? undefined : toName(instruction.from);
      return name === undefined ? written : written.replace(`--from=${instruction.from}`, () => `--from=${name}`);
    }
    case 'run':
      return instruction.mounts.reduce(
        (text, mount) => text.replace(mount, () => renameInMount(mount, toName)),
        written,
      );
    default:
      return written;
  }
}

const renameInMount = (mount: string, toName: (from: string) => string | undefined): string =>
  mount.replace(/(^|,)from=([^,]*)/, (whole, comma: string, from: string) => {
    const name = toName(from);
    return name === undefined ? whole : `${comma}from=${name}`;
  });

const fromLine = (base: string, { name }: PlannedStage): string =>
  `FROM ${base}${name === undefined ? '' : ` AS ${name}`}`;

const emptied = (instruction: Instruction, stage: PlannedStage): string =>
  instruction.kind === 'from' ? fromLine('scratch', stage) : '';

function padded(text: string, rowCount: number): string[] {
  const rows = text.split('\n');
  return [...rows, ...Array<string>(Math.max(0, rowCount - rows.length)).fill('')];
}

/** Directives end at the first comment that is none: the one that goes moves behind the others. */
function withoutSyntax(rows: readonly string[]): string[] {
  const at = rows.findIndex((row) => !/^#\s*(syntax|escape|check)\s*=/i.test(row));
  const head = at < 0 ? rows : rows.slice(0, at);
  const kept = head.filter((row) => !/^#\s*syntax\s*=/i.test(row));
  return [...kept, ...Array<string>(head.length - kept.length).fill('#'), ...rows.slice(head.length)];
}
