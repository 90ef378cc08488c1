import type { Digest } from '../../core/ids.ts';
import type { Descriptor } from '../model.ts';
import type { ImageReference } from '../reference.ts';

/** What a name means in its registry now. */
export interface ResolvedReference {
  /** Where it was found: the candidate of a short name that exists. */
  readonly reference: ImageReference;
  /** Digest of the index or manifest that the name points to: the "registry digest". */
  readonly digest: Digest;
  readonly descriptor: Descriptor;
}

/** What a pull would read. No config and no layer is read for it. */
export interface PullPlan extends ResolvedReference {
  /** Digest of the manifest of the chosen platform; equals `digest` where the name points to no index. */
  readonly manifestDigest: Digest;
  readonly imageHash: Digest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Of config and layers as the registry serves them, a repeated layer once. */
  readonly sizeBytes: number;
}
