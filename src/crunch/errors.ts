import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type CrunchErrorCode =
  | 'crunch/bad-record'
  | 'crunch/bad-mount'
  | 'crunch/bad-image'
  | 'crunch/bad-builtin'
  | 'crunch/bad-output'
  | 'crunch/bad-output-name'
  | 'crunch/git-failed'
  | 'crunch/collection-missing'
  | 'crunch/time-limit'
  | 'crunch/log-failed'
  | 'crunch/disk-limit'
  | 'crunch/input-changed';

export const crunchError = (
  code: CrunchErrorCode,
  message: string,
  details?: ErrorDetails,
): HallmarkError<CrunchErrorCode> => new HallmarkError(code, message, details);
