import { posix } from 'node:path';
import type { Layer } from '../../model.ts';
import { redact } from '../../redact.ts';
import { parseChmod } from '../copy/chmod.ts';
import { type CopyPart, type CopySpec, makeCopyLayer, selectCopy } from '../copy/copy-layer.ts';
import type { LayerTrees } from '../copy/layer-tree.ts';
import { resolveOwner } from '../copy/owner.ts';
import { expandWord } from '../dockerfile/expand.ts';
import type { CopyInstruction } from '../dockerfile/instructions.ts';
import { refuseRemote } from '../plan/checks.ts';
import { isRemote, readRemote } from '../plan/remote.ts';
import { layerKey } from './key.ts';
import { expandIn } from './metadata.ts';
import type { BuildOptions } from './options.ts';
import type { OpenSource, Sources } from './sources.ts';
import { lookupIn, type StageState } from './state.ts';

export interface MadeLayer {
  readonly layer: Layer;
  readonly isCached: boolean;
  readonly createdBy: string;
}

export interface CopyStep {
  readonly options: BuildOptions;
  readonly trees: LayerTrees;
  readonly sources: Sources;
  readonly state: StageState;
  readonly stageIndex: number;
}

/** COPY or ADD: its layer from the cache, or made as a tar without any root file system. */
export async function runCopy(instruction: CopyInstruction, step: CopyStep): Promise<MadeLayer> {
  const { options, sources, state, stageIndex } = step;
  const expanded = expandCopy(instruction, state, options.plan.dockerfile.escapeChar);
  const { from } = instruction;
  const source = from === undefined ? undefined : await sources.from(from, stageIndex);
  const chainKey = source && layerKey(options, state, { ...expanded, chain: source.chain });
  const known = chainKey && (await options.cache.get(chainKey));
  const createdBy = toHistory(expanded, from);
  if (known) return { layer: known, isCached: true, createdBy };
  const made = await copyByContent(expanded, await toParts(instruction, expanded.sources, { source, sources }), step);
  if (chainKey) await options.cache.alias(chainKey, made.key);
  return { ...made, createdBy };
}

interface ExpandedCopy {
  readonly spec: CopySpec;
  readonly sources: readonly string[];
  readonly chown?: string;
  readonly chmod?: string;
}

/** The key holds the content that is read, so a change elsewhere in the context or the other stage costs no new layer. */
async function copyByContent({ spec, chown, chmod }: ExpandedCopy, parts: readonly CopyPart[], step: CopyStep) {
  const { options, trees, state } = step;
  const { cache, signal, clampSeconds } = options;
  const selection = await selectCopy(spec, parts, signal);
  try {
    const key = layerKey(options, state, { content: selection.digest, chown, chmod });
    const known = await cache.get(key);
    if (known) return { layer: known, isCached: true, key };
    const below = await trees.merged(state.layers, signal);
    const owner = chown === undefined || chown === '' ? undefined : await resolveOwner(chown, below, signal);
    const destination = { clampSeconds, ...(owner && { owner }), ...(chmod && { chmod: parseChmod(chmod) }) };
    const layer = await makeCopyLayer(selection, below, destination, (tar) => cache.put(key, tar));
    return { layer, isCached: false, key };
  } finally {
    await selection.close();
  }
}

/** Where each source is read from: a stage or image, what was fetched, or the context. */
async function toParts(
  { kind, unpack, keepGitDir }: CopyInstruction,
  expanded: readonly string[],
  { source, sources }: { readonly source: OpenSource | undefined; readonly sources: Sources },
): Promise<CopyPart[]> {
  const tree = await source?.tree();
  return expanded.map((pattern) => {
    if (tree) return { tree, pattern, unpack: false };
    const remote = kind === 'add' ? readRemote(pattern) : undefined;
    if (remote) return sources.remote(remote, { keepGitDir, unpack: unpack ?? false });
    if (isRemote(pattern)) refuseRemote(pattern);
    return { tree: sources.context().tree, pattern, unpack: kind === 'add' && (unpack ?? true) };
  });
}

function expandCopy(instruction: CopyInstruction, state: StageState, escapeChar: string): ExpandedCopy {
  const expand = (word: string) => expandIn(state, word, escapeChar);
  const sources = instruction.sources.map(expand);
  const { excludes, parents, chown, chmod } = instruction;
  const inline = instruction.inline.map(({ name, content, expand: expands }) => ({
    name,
    content: expands ? expandWord(content, lookupIn(state), { quotesAreText: true }) : content,
  }));
  const destination = toAbsolute(expand(instruction.destination), state.config.WorkingDir ?? '/');
  const keyword = instruction.kind === 'add' ? 'ADD' : 'COPY';
  return {
    spec: { keyword, inline, destination, excludes, parents },
    sources,
    ...(chown !== undefined && { chown: expand(chown) }),
    ...(chmod !== undefined && { chmod: expand(chmod) }),
  };
}

/** A destination that is spelt as a directory keeps a slash at its end. */
function toAbsolute(path: string, workingDir: string): string {
  const isDirectory = /(^|\/)\.{0,2}$/.test(path);
  const absolute = posix.resolve('/', workingDir, path);
  return isDirectory && absolute !== '/' ? `${absolute}/` : absolute;
}

function toHistory({ spec, sources, chown, chmod }: ExpandedCopy, from: string | undefined): string {
  const flags = [
    ...(from === undefined ? [] : [`--from=${from}`]),
    ...(spec.parents ? ['--parents'] : []),
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
  ];
  const inline = spec.inline.map(({ name }) => `<<${name}`);
  const shown = sources.map((source) => (isRemote(source) ? redact(source) : source));
  return [spec.keyword, ...flags, ...shown, ...inline, spec.destination].join(' ');
}
