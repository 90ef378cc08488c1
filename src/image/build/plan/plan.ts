import { didYouMean } from '../../../core/nearest.ts';
import { hostPlatform } from '../../platform.ts';
import type { Instruction } from '../dockerfile/instructions.ts';
import type { Mount } from '../dockerfile/mount.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { createProblems, type Problems, throwProblems } from '../dockerfile/problems.ts';
import { checkBuildArgs, evaluateGlobalArgs, platformArgs } from './arguments.ts';
import { checkInstruction } from './checks.ts';
import type { BaseReference, BuildPlan, PlannedStage, PlanOptions, Source } from './model.ts';
import { mayBeRemote } from './remote.ts';
import { findFrom, planStages, stageHint } from './stages.ts';

/**
 * Works out all that is known of a build before it starts. What is wrong or not supported, in any stage that the target needs,
 * comes in one error (`image/bad-dockerfile`, `image/unsupported-instruction`) with every line. Pure.
 */
export function planBuild(text: string, options: PlanOptions = {}): BuildPlan {
  const problems = createProblems(options.fileName ?? 'Dockerfile');
  const dockerfile = parseDockerfile(text, problems);
  const { instructions, escapeChar } = dockerfile;
  const buildArgs = options.buildArgs ?? {};
  const platform = options.platform ?? hostPlatform();
  const automatic = platformArgs(platform, options.target ?? '');
  const globalArgs = evaluateGlobalArgs(instructions, { automatic, buildArgs, escapeChar }, problems);
  checkBuildArgs(instructions, buildArgs, Object.keys(automatic), problems);
  const stages = planStages(instructions, { globalArgs, escapeChar, platform }, problems);
  if (stages.length === 0 && problems.found.length === 0) problems.report(1, 'expected a FROM, got none');
  const target = findTarget(options.target, stages, problems);
  const needs = collectNeeds(stages, target, escapeChar, problems);
  throwProblems(problems);
  return { dockerfile, platform, buildArgs, globalArgs, stages, target, ...needs };
}

function findTarget(name: string | undefined, stages: readonly PlannedStage[], problems: Problems): number {
  if (name === undefined || name === '') return stages.length - 1;
  const named = stages.findLast((stage) => stage.name === name.toLowerCase());
  if (named) return named.index;
  if (/^\d+$/.test(name) && Number(name) < stages.length) return Number(name);
  const names = stages.flatMap((stage) => (stage.name ? [stage.name] : []));
  const known = names.length > 0 ? `the stages are ${names.join(', ')}` : 'no stage of the Dockerfile has a name';
  problems.report(undefined, `the target stage "${name}" is not in the Dockerfile`, didYouMean(name, names) ?? known);
  return stages.length - 1;
}

type Needs = Pick<BuildPlan, 'needed' | 'bases' | 'secrets' | 'usesContext'>;

/** Walks from the target over all that its stages start from, copy from and mount. */
function collectNeeds(stages: readonly PlannedStage[], target: number, escapeChar: string, problems: Problems): Needs {
  const needed = new Set<number>();
  const bases = new Map<string, BaseReference>();
  const secrets: { id: string; required: boolean; line: number }[] = [];
  let usesContext = false;

  const addSource = (source: Source | undefined, line: number) => {
    if (source?.kind === 'stage') visit(source.index);
    if (source?.kind !== 'image' || bases.has(source.reference)) return;
    const hint = stageHint(source.reference, stages);
    bases.set(source.reference, { reference: source.reference, line, ...(hint && { hint }) });
  };
  const addMount = (mount: Mount, line: number, before: number) => {
    if (mount.type === 'secret') secrets.push({ id: mount.id ?? '', required: mount.required, line });
    else if (mount.from !== undefined) addSource(findFrom(mount.from, { stages, before, line }, problems), line);
    else if (mount.type === 'bind') usesContext = true;
  };
  const addInstruction = (instruction: Instruction, before: number) => {
    const { line } = instruction;
    for (const mount of checkInstruction(instruction, escapeChar, problems)) addMount(mount, line, before);
    if (instruction.kind !== 'copy' && instruction.kind !== 'add') return;
    if (instruction.from === undefined) usesContext ||= instruction.sources.some((source) => !mayBeRemote(source));
    else if (!instruction.from.includes('$'))
      addSource(findFrom(instruction.from, { stages, before, line }, problems), line);
  };
  const visit = (index: number) => {
    const stage = stages[index];
    if (!stage || needed.has(index)) return;
    needed.add(index);
    addSource(stage.base, stage.line);
    for (const instruction of stage.instructions) addInstruction(instruction, index);
  };
  visit(target);
  return { needed: [...needed].sort((a, b) => a - b), bases: [...bases.values()], secrets, usesContext };
}
