import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type KeepErrorCode =
  | 'keep/block-missing'
  | 'keep/block-damaged'
  | 'keep/block-too-large'
  | 'keep/no-space'
  | 'keep/store-failed'
  | 'keep/bad-manifest'
  | 'keep/no-such-file'
  | 'keep/bad-path';

export const keepError = (code: KeepErrorCode, message: string, details?: ErrorDetails): HallmarkError<KeepErrorCode> =>
  new HallmarkError(code, message, details);
