import type { Digest } from '../../../core/ids.ts';
import { toCanonicalJson } from '../../../core/json.ts';
import { digestOf } from '../../streams.ts';
import type { BuildPlan } from '../plan/model.ts';
import type { StageState } from './state.ts';

/** Raised when the same key would mean another layer. */
const keyVersion = 1;

/**
 * The content key of a layer: what it goes on top of, what is done, and all that can be seen from there. Values that are in here
 * may be read by nobody, but may be guessed: no secret is part of it.
 */
export function layerKey(
  build: { readonly plan: BuildPlan; readonly clampSeconds: number },
  state: StageState,
  step: Readonly<Record<string, unknown>>,
): Digest {
  const { platform } = build.plan;
  const parents = state.layers.map(({ diffId }) => diffId);
  return digestOf(
    Buffer.from(toCanonicalJson({ keyVersion, platform, clampSeconds: build.clampSeconds, parents, step })),
  );
}
