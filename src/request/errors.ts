import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type RequestErrorCode = 'request/bad-requirement' | 'request/bad-image' | 'request/bad-build';

export const requestError = (
  code: RequestErrorCode,
  message: string,
  details?: ErrorDetails,
): HallmarkError<RequestErrorCode> => new HallmarkError(code, message, details);
