import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type RunErrorCode =
  | 'run/input-missing'
  | 'run/bad-input'
  | 'run/download-failed'
  | 'run/image-not-found'
  | 'run/image-ambiguous'
  | 'run/image-unusable'
  | 'run/image-request-failed'
  | 'run/bad-requirement'
  | 'run/step-failed'
  | 'run/cancelled'
  | 'run/outputs-failed'
  | 'run/no-such-run';

export const runError = (code: RunErrorCode, message: string, details?: ErrorDetails): HallmarkError<RunErrorCode> =>
  new HallmarkError(code, message, details);
