import type { Uuid } from '../core/ids.ts';

export type ImageStatus = 'looking' | 'found' | 'pulling' | 'building' | 'ready' | 'failed';
export type StepStatus = 'started' | 'submitted' | 'reused' | 'done' | 'skipped' | 'failed';

/** What a run tells while it goes on, for a terminal or a log. Names of steps are paths: `call[2]`, `sub/align[0]`. */
export type RunEvent =
  | {
      readonly type: 'image';
      readonly reference: string;
      readonly status: ImageStatus;
      readonly request?: Uuid;
      /** The image hash, what the pull or build is doing, or that it was done before. */
      readonly detail?: string;
    }
  | {
      readonly type: 'step';
      readonly name: string;
      readonly status: StepStatus;
      readonly request?: Uuid;
      readonly container?: Uuid;
      /** Why it was reused or run again, or what it failed with. */
      readonly because?: string;
    }
  | { readonly type: 'scatter'; readonly name: string; readonly size: number }
  | { readonly type: 'warning'; readonly message: string };

export type RunListener = (event: RunEvent) => void;
