import type { Where } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';

/** What a run would do, as far as it can be known before anything runs. Plain data: it is printed as JSON, too. */
export interface Plan {
  /** In the order in which they are first needed. */
  readonly images: readonly ImagePlan[];
  /** In the order of the document; each element of a scatter by itself. */
  readonly steps: readonly StepPlan[];
}

export interface ImagePlan {
  /** The name people know it by. */
  readonly image: string;
  readonly action: 'found' | 'reuse' | 'pull' | 'build' | 'store';
  readonly because: string;
  /** What a pull would transfer at most: layers that Keep has are not transferred again. */
  readonly sizeBytes?: number;
  readonly layers?: number;
}

/**
 * `reuse`: an earlier container has done it; `evaluate`: an ExpressionTool, which the runner does itself; `run`; `wait`: it
 * would run or be reused, which depends on outputs that are not there; `skip`: its condition does not hold, or nothing is
 * scattered over; `fail`: it could not even be submitted.
 */
export type StepAction = 'reuse' | 'evaluate' | 'run' | 'wait' | 'skip' | 'fail';

export interface StepPlan {
  /** Path of step names: `align[0]/sort`. */
  readonly step: string;
  readonly action: StepAction;
  readonly because: string;
  /** The earlier container. */
  readonly container?: Uuid;
  /** Of what fails. */
  readonly where?: Where;
  readonly hint?: string;
}
