import { realpathSync } from 'node:fs';
import type { Digest } from '../../../core/ids.ts';
import { imageError } from '../../errors.ts';
import type { Layer } from '../../model.ts';
import { createContextTree } from '../copy/context-tree.ts';
import { type IgnoreRules, parseIgnoreFile } from '../copy/ignore.ts';
import { createLayerSource, type LayerTrees } from '../copy/layer-tree.ts';
import type { SourceTree } from '../copy/source-tree.ts';
import { createProblems, throwProblems } from '../dockerfile/problems.ts';
import { findFrom } from '../plan/stages.ts';
import type { BuildOptions } from './options.ts';
import type { StageState } from './state.ts';

/** Something to copy from. `chain` names its whole content where that is known without reading it. */
export interface OpenSource {
  readonly chain?: readonly Digest[];
  tree(): Promise<SourceTree>;
}

export interface BuildContext {
  readonly dir: string;
  readonly rules: IgnoreRules;
  readonly tree: SourceTree;
}

export interface Sources {
  context(): BuildContext;
  /** What `--from` names, as seen from stage `before`. */
  from(name: string, before: number): Promise<OpenSource>;
}

export function createSources(
  options: BuildOptions,
  trees: LayerTrees,
  stageAt: (index: number) => Promise<StageState>,
): Sources {
  let context: BuildContext | undefined;
  const ofLayers = (name: string, layers: readonly Layer[]): OpenSource => ({
    chain: layers.map(({ diffId }) => diffId),
    tree: async () => createLayerSource(name, await trees.merged(layers, options.signal)),
  });
  return {
    context() {
      context ??= openContext(options);
      return context;
    },
    async from(name, before) {
      const { stages, dockerfile } = options.plan;
      const problems = createProblems(dockerfile.fileName);
      const source = findFrom(name, { stages, before, line: 0 }, problems);
      throwProblems(problems);
      if (source?.kind === 'stage') return ofLayers(`stage "${name}"`, (await stageAt(source.index)).layers);
      const layers = source?.kind === 'image' ? requireBase(options, source.reference).layers : [];
      return ofLayers(`image ${name}`, layers);
    },
  };
}

function openContext({ contextDir, dockerignore }: BuildOptions): BuildContext {
  if (contextDir === undefined) {
    throw imageError('image/bad-dockerfile', 'expected a build context, got none', {
      hint: 'give the build a context directory, or copy from a stage or an image with --from',
    });
  }
  const dir = realpathSync(contextDir);
  const rules = parseIgnoreFile(dockerignore ?? '');
  return { dir, rules, tree: createContextTree(dir, rules) };
}

export function requireBase({ bases, plan }: BuildOptions, reference: string) {
  const image = bases.get(reference);
  if (image) return image;
  const base = plan.bases.find((each) => each.reference === reference);
  const where = { file: plan.dockerfile.fileName, ...(base && { line: base.line }) };
  throw imageError('image/not-found', `the image ${reference} was not given to the build`, {
    where,
    ...(base?.hint && { hint: base.hint }),
  });
}
