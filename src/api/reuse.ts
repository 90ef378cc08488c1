import type { Uuid } from '../core/ids.ts';
import type { ContainerRequest } from './records.ts';

/** Why a request runs, or ran, or did not have to. */
export type ReuseExplanation =
  /** An earlier container, finished or still under way, satisfies it. */
  | { readonly kind: 'reused'; readonly container: Uuid }
  /** Nothing is decided yet: not committed, or without a priority. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'ran'; readonly container: Uuid; readonly because: RunReason };

export type RunReason =
  | { readonly reason: 'reuse-disabled' }
  /** No earlier request has its name or its work. */
  | { readonly reason: 'first-time' }
  /** The same work was done before, but what came of it cannot be used. */
  | { readonly reason: 'earlier-failed' | 'earlier-output-gone'; readonly earlier: Uuid }
  /** The nearest earlier container differs in these. */
  | { readonly reason: 'differs'; readonly earlier: Uuid; readonly fields: readonly FieldDifference[] };

/** One field of the work that differs between two containers. */
export interface FieldDifference {
  /** As the request spells it, with the part that differs: `command`, `environment.THREADS`, `mounts./keep/ref.fa`. */
  readonly field: string;
  /** For people, shortened; absent where there was, or is, none. Secrets are never shown. */
  readonly before?: string;
  readonly now?: string;
}

/** What an embedded cluster can say beyond the Arvados API. Reads only; may be asked again at any time. */
export interface ReuseExplainer {
  /** Fails with `api/not-found`. */
  explainReuse(request: Uuid): Promise<ReuseExplanation>;
}

/** Asks what would become of a request, and makes none. */
export interface ReusePreview {
  /**
   * The earlier container, finished or under way, that would satisfy a request with these attributes now. Reads only. Fails
   * as creating the request would: `api/bad-attribute`.
   */
  previewReuse(attributes: Partial<ContainerRequest>): Promise<Uuid | undefined>;
}
