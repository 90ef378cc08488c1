import type { Platform } from '../../model.ts';
import type { Instruction } from '../dockerfile/instructions.ts';
import type { Dockerfile } from '../dockerfile/parse.ts';

/** What a stage or a COPY --from starts from. Stages are named by their number in the Dockerfile. */
export type Source =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'stage'; readonly index: number };

export interface PlannedStage {
  readonly index: number;
  readonly name?: string;
  readonly line: number;
  readonly text: string;
  readonly base: Source;
  /** All but FROM, with the ONBUILD triggers of a base that is a stage put first. */
  readonly instructions: readonly Instruction[];
}

/** An image that the build needs, as the Dockerfile names it once variables are put in. */
export interface BaseReference {
  readonly reference: string;
  /** The first line that names it. */
  readonly line: number;
  /** Where the name is near to a stage's: what may be meant. */
  readonly hint?: string;
}

/** Everything about a build that is known before it starts. Plain data but for `dockerfile`. */
export interface BuildPlan {
  readonly dockerfile: Dockerfile;
  readonly platform: Platform;
  /** As given. */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** ARGs before the first FROM, and the automatic ones of the platform. */
  readonly globalArgs: Readonly<Record<string, string>>;
  /** Every stage of the Dockerfile; `isNeeded` says which the target needs. */
  readonly stages: readonly PlannedStage[];
  readonly needed: readonly number[];
  readonly target: number;
  readonly bases: readonly BaseReference[];
  readonly secrets: readonly { readonly id: string; readonly required: boolean; readonly line: number }[];
  /** True where an instruction reads the build context. The ONBUILD triggers of a base image may do so too. */
  readonly usesContext: boolean;
}

export interface PlanOptions {
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Name or number of the stage to build; the last one unless said. */
  readonly target?: string;
  /** Of the image; that of this machine unless said. */
  readonly platform?: Platform;
  readonly fileName?: string;
}
