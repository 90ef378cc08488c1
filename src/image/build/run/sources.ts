import { realpathSync } from 'node:fs';
import type { Digest } from '../../../core/ids.ts';
import { imageError } from '../../errors.ts';
import type { Layer } from '../../model.ts';
import { redact } from '../../redact.ts';
import { createContextTree } from '../copy/context-tree.ts';
import type { CopyPart } from '../copy/copy-layer.ts';
import { type IgnoreRules, parseIgnoreFile } from '../copy/ignore.ts';
import { createLayerSource, type LayerTrees } from '../copy/layer-tree.ts';
import { createRemoteFile, createRemoteTree, type RemoteContent, remoteFilePath } from '../copy/remote-tree.ts';
import type { SourceTree } from '../copy/source-tree.ts';
import { createProblems, throwProblems } from '../dockerfile/problems.ts';
import { fileNameOf, type Remote } from '../plan/remote.ts';
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
  /** What an ADD has fetched. */
  remote(remote: Remote, how: { readonly keepGitDir: boolean; readonly unpack: boolean }): CopyPart;
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
    remote: (remote, how) => toRemotePart(options.remotes?.get(remote.url), remote, how),
  };
}

/** What was fetched as a source to copy from. */
export function toRemotePart(
  content: RemoteContent | undefined,
  { url }: Remote,
  how: Parameters<Sources['remote']>[1],
): CopyPart {
  switch (content?.kind) {
    case 'file':
      return {
        tree: createRemoteFile(url, content),
        pattern: remoteFilePath,
        unpack: how.unpack,
        baseName: fileNameOf(url) ?? '',
      };
    case 'git':
      return { tree: createRemoteTree(redact(url), content.dir, how.keepGitDir), pattern: '/', unpack: false };
    case undefined:
      throw imageError('image/not-found', `what ADD fetches from ${redact(url)} was not given to the build`, {
        hint: 'a trigger of the base (ONBUILD) fetches it: write that ADD into this Dockerfile',
      });
  }
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
