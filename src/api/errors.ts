import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type ApiErrorCode =
  | 'api/not-found'
  | 'api/bad-attribute'
  | 'api/bad-filter'
  | 'api/forbidden-change'
  | 'api/not-authorized'
  | 'api/unavailable'
  /** The cluster cannot do what is asked of it, whoever asks. */
  | 'api/unsupported'
  | 'api/store-damaged'
  | 'api/bad-response';

export const apiError = (code: ApiErrorCode, message: string, details?: ErrorDetails): HallmarkError<ApiErrorCode> =>
  new HallmarkError(code, message, details);
