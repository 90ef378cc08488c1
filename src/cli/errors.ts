import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type CliErrorCode =
  | 'cli/hung-up'
  | 'cli/interrupted'
  | 'cli/terminated'
  | 'cli/usage'
  | 'cli/bad-config'
  | 'cli/not-found'
  | 'cli/not-queued';

export const cliError = (code: CliErrorCode, message: string, details?: ErrorDetails): HallmarkError<CliErrorCode> =>
  new HallmarkError(code, message, details);
