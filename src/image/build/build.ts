import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLimiter } from '../../core/concurrency.ts';
import { imageError } from '../errors.ts';
import type { Image } from '../model.ts';
import { formatPlatform } from '../platform.ts';
import { createLayerTrees } from './copy/layer-tree.ts';
import { createCacheDirs } from './run/cache-dirs.ts';
import type { BuildOptions } from './run/options.ts';
import { createSources, requireBase } from './run/sources.ts';
import { runStage, type StageTools } from './run/stage.ts';
import { type StageState, toImage } from './run/state.ts';

/**
 * Builds the target of a plan. Stages that do not need each other run side by side; the first failure ends the rest. Equal plan,
 * context, bases and clamp give the same image hash wherever the commands allow it. A crash leaves nothing but temporary
 * folders and, in the cache, whole layers.
 */
export async function buildImage(options: BuildOptions): Promise<Image> {
  checkInputs(options);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const scratch = options.cacheMountsDir ?? (await mkdtemp(join(options.scratchDir ?? tmpdir(), 'hallmark-build-')));
  try {
    const stageAt = startStages({ ...options, signal }, scratch);
    const needed = options.plan.needed.map(stageAt);
    try {
      await Promise.all(needed);
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(needed);
      throw error;
    }
    return toImage(await stageAt(options.plan.target), options.clampSeconds);
  } finally {
    if (options.cacheMountsDir === undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** Each stage runs once, when it is first asked for. */
function startStages(options: BuildOptions, cacheMountsDir: string): (index: number) => Promise<StageState> {
  const { plan } = options;
  const running = new Map<number, Promise<StageState>>();
  const trees = createLayerTrees();
  let number = 0;
  let total = plan.needed.reduce((sum, index) => sum + (plan.stages[index]?.instructions.length ?? 0), 0);

  const stageAt = (index: number): Promise<StageState> => {
    const known = running.get(index);
    if (known) return known;
    const stage = plan.stages[index];
    if (!stage) throw new RangeError(`stage ${index} of ${plan.stages.length}`);
    if (!plan.needed.includes(index)) total += stage.instructions.length;
    const started = runStage(stage, tools);
    running.set(index, started);
    return started;
  };
  const tools: StageTools = {
    ...{ options, trees, stageAt },
    sources: createSources(options, trees, stageAt),
    caches: createCacheDirs(cacheMountsDir, options.claim),
    limit: createLimiter(availableParallelism()),
    addSteps: (count) => {
      total += count;
    },
    nextStep: (stage, { line, text }) => {
      number += 1;
      return { stage, number, total, line, text };
    },
  };
  return stageAt;
}

/** What can be missing is missed before anything starts. */
function checkInputs(options: BuildOptions): void {
  const { plan, secrets, contextDir } = options;
  const file = plan.dockerfile.fileName;
  for (const { reference, line } of plan.bases) {
    const { os, architecture } = requireBase(options, reference).config;
    if (os === plan.platform.os && architecture === plan.platform.architecture) continue;
    const expected = formatPlatform(plan.platform);
    const message = `expected ${reference} for ${expected}, got ${os}/${architecture}`;
    throw imageError('image/no-platform', message, { where: { file, line } });
  }
  const missing = plan.secrets.find(({ id, required }) => required && !secrets?.has(id));
  if (missing) {
    const hint = `give it with --secret id=${missing.id},src=FILE, in secret_mounts as /run/secrets/${missing.id}`;
    const where = { file, line: missing.line };
    throw imageError('image/bad-dockerfile', `expected the secret "${missing.id}", got none`, { where, hint });
  }
  if (plan.usesContext && contextDir === undefined) {
    const hint = 'give the build a context directory, or copy from a stage or an image with --from';
    throw imageError('image/bad-dockerfile', 'expected a build context, got none', { where: { file }, hint });
  }
}
