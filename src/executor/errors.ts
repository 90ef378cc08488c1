import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type ExecutorErrorCode =
  | 'executor/unavailable'
  | 'executor/no-user-namespaces'
  | 'executor/load-failed'
  | 'executor/image-gone'
  | 'executor/start-failed'
  | 'executor/engine-lost'
  | 'executor/output-lost'
  | 'executor/no-space';

export const executorError = (
  code: ExecutorErrorCode,
  message: string,
  details?: ErrorDetails,
): HallmarkError<ExecutorErrorCode> => new HallmarkError(code, message, details);
