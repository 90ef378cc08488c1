/** One instruction of a build as it is shown: which of how many, of which stage. */
export interface BuildStep {
  /** Name of the stage, or `stage-<n>`. */
  readonly stage: string;
  /** Counts over all stages that the target needs, from 1, in the order in which instructions begin. */
  readonly number: number;
  readonly total: number;
  readonly line: number;
  readonly text: string;
}

export type BuildEvent =
  | { readonly kind: 'start'; readonly step: BuildStep }
  /** `cached`: its layer came from the cache; instructions without a layer are neither. */
  | { readonly kind: 'end'; readonly step: BuildStep; readonly outcome: 'cached' | 'ran' | 'metadata' }
  /** Secrets are taken out. */
  | { readonly kind: 'output'; readonly step: BuildStep; readonly stream: 'stdout' | 'stderr'; readonly text: string };
