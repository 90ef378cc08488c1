import type { Image } from '../../model.ts';
import type { CopyInstruction } from '../dockerfile/instructions.ts';
import { createProblems, throwProblems } from '../dockerfile/problems.ts';
import type { BuildPlan, PlannedStage } from '../plan/model.ts';
import { checkChecksum, fileNameOf, mayBeRemote, type Remote, readRemote, withoutFileName } from '../plan/remote.ts';
import { parseTrigger } from '../plan/stages.ts';
import { applyMetadata, expandIn, triggersOf } from './metadata.ts';
import { childState, imageState, type StageState, scratchState } from './state.ts';

/** A source of an ADD that is to be fetched before the build. */
export type PlannedRemote = Remote & {
  readonly line: number;
  /** As the Dockerfile has it. */
  readonly source: string;
  readonly checksum?: string;
  readonly keepGitDir: boolean;
};

/**
 * Whether what the target needs may fetch anything, and, with `variable`, whether variables that only a base can set may be part of the
 * addresses.
 */
export function fetchesOf({ stages, needed }: BuildPlan): 'nothing' | 'known' | 'variable' {
  const instructions = needed.flatMap((index) => stages[index]?.instructions ?? []);
  const sources = instructions.flatMap((each) => (each.kind === 'add' ? each.sources.filter(mayBeRemote) : []));
  if (sources.length === 0) return 'nothing';
  const pairs = instructions.flatMap((each) => (each.kind === 'arg' || each.kind === 'env' ? each.pairs : []));
  const set = new Set(['PATH', ...pairs.map(({ name }) => name)]);
  const read = [...sources, ...pairs.map(({ value = '' }) => value)].flatMap(namesIn);
  return read.every((name) => set.has(name)) ? 'known' : 'variable';
}

const namesIn = (word: string): string[] => [...word.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);

/**
 * What the ADDs that the target needs fetch, in their order, each with its line; found by going through ARG and ENV as the build
 * will. `bases` may be left out where `fetchesOf` says that it knows; then triggers of theirs are not seen, and an ADD in one fails in
 * the build, which was not given its content. Throws every fault at once.
 */
export function listRemotes(plan: BuildPlan, bases: ReadonlyMap<string, Image>): PlannedRemote[] {
  const problems = createProblems(plan.dockerfile.fileName);
  const { buildArgs, globalArgs, dockerfile } = plan;
  const context = { buildArgs, globalArgs, escapeChar: dockerfile.escapeChar };
  const ends = new Map<number, StageState>();
  const remotes: PlannedRemote[] = [];
  for (const index of plan.needed) {
    const stage = plan.stages[index];
    if (!stage) continue;
    let state = startOf(stage, { plan, bases, ends });
    const triggers = stage.base.kind === 'image' ? triggersOf(state) : [];
    const triggered = triggers.flatMap((text) => parseTrigger(text, { line: stage.line, problems }));
    for (const instruction of [...triggered, ...stage.instructions]) {
      if (instruction.kind === 'add') {
        const expand = (word: string) => expandIn(state, word, context.escapeChar);
        remotes.push(...(problems.attempt(instruction.line, () => remotesOf(instruction, expand)) ?? []));
      } else if (instruction.kind === 'arg' || instruction.kind === 'env') {
        const before = state;
        // What is wrong with it, the build itself tells.
        state = createProblems('').attempt(0, () => applyMetadata(before, instruction, context).state) ?? before;
      }
    }
    ends.set(index, state);
  }
  throwProblems(problems);
  return remotes;
}

interface Known {
  readonly plan: BuildPlan;
  readonly bases: ReadonlyMap<string, Image>;
  /** What the stages before are at their end. */
  readonly ends: ReadonlyMap<number, StageState>;
}

function startOf({ base }: PlannedStage, { plan, bases, ends }: Known): StageState {
  const image = base.kind === 'image' ? bases.get(base.reference) : undefined;
  const parent = base.kind === 'stage' ? ends.get(base.index) : undefined;
  if (parent) return childState(parent);
  return image ? imageState(image) : scratchState(plan.platform);
}

function remotesOf(add: CopyInstruction, expand: (word: string) => string): PlannedRemote[] {
  const { line, keepGitDir } = add;
  const destination = expand(add.destination);
  const checksum = add.checksum === undefined ? undefined : expand(add.checksum);
  const remotes = add.sources.map((source) => readRemote(expand(source)));
  if (checksum !== undefined) checkChecksum(checksum, remotes.length === 1 ? remotes[0] : undefined);
  return add.sources.flatMap((source, index) => {
    const remote = remotes[index];
    if (!remote) return [];
    if (remote.kind === 'file' && destination.endsWith('/') && fileNameOf(remote.url) === undefined)
      throw withoutFileName(remote.url, destination);
    return [{ ...remote, source, line, keepGitDir, ...(checksum !== undefined && { checksum }) }];
  });
}
