import { isHallmarkError } from '../../../core/errors.ts';
import { didYouMean } from '../../../core/nearest.ts';
import type { Platform } from '../../model.ts';
import { formatPlatform } from '../../platform.ts';
import { parseReference } from '../../reference.ts';
import { expandWord } from '../dockerfile/expand.ts';
import type { Instruction, InstructionOf } from '../dockerfile/instructions.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { createProblems, type Problems } from '../dockerfile/problems.ts';
import type { PlannedStage, Source } from './model.ts';

export interface StageScope {
  readonly globalArgs: Readonly<Record<string, string>>;
  readonly escapeChar: string;
  readonly platform: Platform;
}

/** Splits the instructions at each FROM and finds what each stage starts from. */
export function planStages(
  instructions: readonly Instruction[],
  scope: StageScope,
  problems: Problems,
): PlannedStage[] {
  const stages: PlannedStage[] = [];
  let current: Instruction[] | undefined;
  for (const instruction of instructions) {
    if (instruction.kind === 'from') {
      const stage = planStage(instruction, stages, scope, problems);
      current = [...stage.instructions];
      stages.push({ ...stage, instructions: current });
    } else if (current) current.push(instruction);
    else if (instruction.kind !== 'arg' && !hasEarlierProblem(problems, instruction.line)) {
      problems.report(instruction.line, `expected FROM or ARG first, got ${instruction.kind.toUpperCase()}`);
    }
  }
  return stages;
}

/** What could not be read before may have been the FROM. */
const hasEarlierProblem = (problems: Problems, line: number): boolean =>
  problems.found.some(({ where }) => where?.line !== undefined && where.line < line);

function planStage(
  from: InstructionOf<'from'>,
  stages: readonly PlannedStage[],
  scope: StageScope,
  problems: Problems,
): PlannedStage {
  const { line, text, name } = from;
  const lookup = (key: string) => scope.globalArgs[key];
  const expand = (word: string) =>
    problems.attempt(line, () => expandWord(word, lookup, { escape: scope.escapeChar })) ?? '';
  const baseName = expand(from.base);
  if (baseName === '') {
    const hint = 'give the ARG before the first FROM a value, or pass a build argument';
    problems.report(line, `expected an image after FROM, got "${from.base}", which is empty`, hint);
  }
  if (from.platform !== undefined) checkPlatform(expand(from.platform), line, scope.platform, problems);
  const base = findSource(baseName, stages, stages.length);
  if (base.kind === 'image' && baseName !== '') isReference(base.reference, line, problems);
  const instructions = base.kind === 'stage' ? triggersOf(stages[base.index], line, problems) : [];
  return { index: stages.length, ...(name && { name }), line, text, base, instructions };
}

function checkPlatform(platform: string, line: number, target: Platform, problems: Problems): void {
  const normal = platform.replace(/^linux\/aarch64$/, 'linux/arm64').replace(/^linux\/x86_64$/, 'linux/amd64');
  if (normal === formatPlatform(target)) return;
  const expected = `expected the platform of the build, ${formatPlatform(target)}`;
  problems.unsupported(line, `FROM --platform=${platform} is not supported, ${expected}`);
}

/** Reports what is no image reference. */
function isReference(reference: string, line: number, problems: Problems): boolean {
  try {
    parseReference(reference);
    return true;
  } catch (error) {
    if (!isHallmarkError(error, 'image/bad-reference')) throw error;
    problems.report(line, error.message, error.hint);
    return false;
  }
}

/** The latest stage of that name before `before`, scratch, or else an image. */
export function findSource(name: string, stages: readonly PlannedStage[], before: number): Source {
  const stage = stages.findLast((each) => each.index < before && each.name === name.toLowerCase());
  if (stage) return { kind: 'stage', index: stage.index };
  return name === 'scratch' ? { kind: 'scratch' } : { kind: 'image', reference: name };
}

/** As `findSource`, for COPY --from and mounts, which may also give the number of a stage. Reports a stage that comes too late. */
export function findFrom(
  name: string,
  at: { readonly stages: readonly PlannedStage[]; readonly before: number; readonly line: number },
  problems: Problems,
): Source | undefined {
  if (/^\d+$/.test(name)) {
    if (Number(name) < at.before) return { kind: 'stage', index: Number(name) };
    problems.report(at.line, `expected the number of an earlier stage, 0 to ${at.before - 1}, got ${name}`);
    return undefined;
  }
  const source = findSource(name, at.stages, at.before);
  if (source.kind !== 'image') return source;
  const later = at.stages.find((stage) => stage.index >= at.before && stage.name === name.toLowerCase());
  if (later) {
    problems.report(at.line, `expected an earlier stage, got "${name}", which starts on line ${later.line}`);
    return undefined;
  }
  return isReference(name, at.line, problems) ? source : undefined;
}

export function stageHint(name: string, stages: readonly PlannedStage[]): string | undefined {
  if (/[/:.@]/.test(name)) return undefined;
  return didYouMean(
    name,
    stages.flatMap((stage) => (stage.name ? [stage.name] : [])),
  );
}

function triggersOf(base: PlannedStage | undefined, line: number, problems: Problems): Instruction[] {
  const triggers = base?.instructions.flatMap((each) => (each.kind === 'onbuild' ? [each.trigger] : [])) ?? [];
  return triggers.flatMap((trigger) => parseTrigger(trigger, { line, problems }));
}

/** The instruction of one ONBUILD trigger, placed at the FROM that sets it off. */
export function parseTrigger(
  trigger: string,
  at: { readonly line: number; readonly problems: Problems },
): Instruction[] {
  const found = createProblems(at.problems.fileName);
  const { instructions } = parseDockerfile(trigger, found);
  for (const problem of found.found)
    at.problems.report(at.line, `in ONBUILD ${trigger}: ${problem.message}`, problem.hint);
  return instructions.map((instruction) => ({ ...instruction, line: at.line, endLine: at.line }));
}
