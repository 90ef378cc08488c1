import { type HallmarkError, isHallmarkError } from '../../../core/errors.ts';
import { imageError } from '../../errors.ts';
import type { LayerTrees } from '../copy/layer-tree.ts';
import type { Instruction } from '../dockerfile/instructions.ts';
import { createProblems, throwProblems } from '../dockerfile/problems.ts';
import { checkInstruction } from '../plan/checks.ts';
import type { PlannedStage } from '../plan/model.ts';
import { parseTrigger } from '../plan/stages.ts';
import type { CacheDirs } from './cache-dirs.ts';
import { type MadeLayer, runCopy } from './copy-step.ts';
import type { BuildStep } from './events.ts';
import { applyMetadata, expandIn, resolveWorkdir, triggersOf } from './metadata.ts';
import type { BuildOptions } from './options.ts';
import { runCommand } from './run-step.ts';
import { requireBase, type Sources } from './sources.ts';
import { childState, imageState, type StageState, scratchState, withConfig, withHistory } from './state.ts';
import { runWorkdir } from './workdir-step.ts';

export interface StageTools {
  readonly options: BuildOptions;
  readonly trees: LayerTrees;
  readonly sources: Sources;
  readonly caches: CacheDirs;
  readonly stageAt: (index: number) => Promise<StageState>;
  /** Numbers the next step; ONBUILD triggers raise the total. */
  readonly nextStep: (stage: string, instruction: Instruction) => BuildStep;
  readonly addSteps: (count: number) => void;
  /** Bounds how many commands run at once. */
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
}

/** Runs one stage from its base to its last instruction. */
export async function runStage(stage: PlannedStage, tools: StageTools): Promise<StageState> {
  let { state, triggers } = await openBase(stage, tools);
  tools.addSteps(triggers.length);
  for (const instruction of [...triggers, ...stage.instructions]) {
    tools.options.signal?.throwIfAborted();
    state = await runInstruction(instruction, { state, stage, tools });
  }
  return state;
}

async function openBase(
  stage: PlannedStage,
  tools: StageTools,
): Promise<{ state: StageState; triggers: readonly Instruction[] }> {
  const { options } = tools;
  const { base } = stage;
  if (base.kind === 'stage') return { state: childState(await tools.stageAt(base.index)), triggers: [] };
  if (base.kind === 'scratch') return { state: scratchState(options.plan.platform), triggers: [] };
  const image = requireBase(options, base.reference);
  const state = imageState(image);
  const texts = triggersOf(state);
  return texts.length === 0
    ? { state, triggers: [] }
    : { state: childState(state), triggers: parseTriggers(texts, stage, options) };
}

function parseTriggers(texts: readonly string[], { line }: PlannedStage, { plan }: BuildOptions): Instruction[] {
  const problems = createProblems(plan.dockerfile.fileName);
  const triggers = texts.flatMap((text) => parseTrigger(text, { line, problems }));
  for (const trigger of triggers) checkInstruction(trigger, plan.dockerfile.escapeChar, problems);
  throwProblems(problems);
  return triggers;
}

interface At {
  readonly state: StageState;
  readonly stage: PlannedStage;
  readonly tools: StageTools;
}

async function runInstruction(instruction: Instruction, at: At): Promise<StageState> {
  const { options, nextStep } = at.tools;
  const step = nextStep(at.stage.name ?? `stage-${at.stage.index}`, instruction);
  options.onEvent?.({ kind: 'start', step });
  try {
    const { state, made } = await perform(instruction, step, at);
    const outcome = made ? (made.isCached ? 'cached' : 'ran') : 'metadata';
    options.onEvent?.({ kind: 'end', step, outcome });
    return made ? withHistory(state, made.createdBy, options.clampSeconds, made.layer) : state;
  } catch (error) {
    throw locate(error, options.plan.dockerfile.fileName, instruction);
  }
}

async function perform(
  instruction: Instruction,
  step: BuildStep,
  { state, stage, tools }: At,
): Promise<{ state: StageState; made?: MadeLayer }> {
  const { options, trees, sources, caches, limit } = tools;
  const here = { options, trees, sources, caches, state, stageIndex: stage.index };
  switch (instruction.kind) {
    case 'from':
      return { state };
    case 'run': {
      const onOutput = (stream: 'stdout' | 'stderr', text: string) =>
        options.onEvent?.({ kind: 'output', step, stream, text });
      return { state, made: await runCommand(instruction, { ...here, limit }, onOutput) };
    }
    case 'copy':
    case 'add':
      return { state, made: await runCopy(instruction, here) };
    case 'workdir': {
      const path = resolveWorkdir(state, expandIn(state, instruction.path, options.plan.dockerfile.escapeChar));
      const next = withConfig(state, { WorkingDir: path });
      if (path === '/') return { state: withHistory(next, 'WORKDIR /', options.clampSeconds) };
      return { state: next, made: await runWorkdir(path, { options, trees, state }) };
    }
    default: {
      const { buildArgs, globalArgs, dockerfile } = options.plan;
      const applied = applyMetadata(state, instruction, { buildArgs, globalArgs, escapeChar: dockerfile.escapeChar });
      return { state: withHistory(applied.state, applied.createdBy, options.clampSeconds) };
    }
  }
}

/** Says which line it was, where the error does not say it yet. */
function locate(error: unknown, file: string, { line }: Instruction): unknown {
  if (!isHallmarkError(error) || !error.code.startsWith('image/')) return error;
  if (error.where?.line !== undefined && error.where.line > 0) return error;
  const { message, hint, cause, retryable } = error as HallmarkError<Parameters<typeof imageError>[0]>;
  const details = { where: { file, line }, retryable, ...(hint && { hint }), ...(cause !== undefined && { cause }) };
  return imageError((error as HallmarkError<Parameters<typeof imageError>[0]>).code, message, details);
}
