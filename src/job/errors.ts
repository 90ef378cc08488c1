import { type ErrorDetails, HallmarkError, type Where } from '../core/errors.ts';

export type JobErrorCode =
  | 'job/bad-input'
  | 'job/missing-secondary-file'
  | 'job/format-mismatch'
  | 'job/bad-binding'
  | 'job/bad-requirement'
  | 'job/bad-name'
  | 'job/bad-location'
  | 'job/staging-conflict'
  | 'job/unsupported-requirement'
  | 'job/unsupported-process'
  | 'job/bad-output'
  | 'job/outside-output'
  | 'job/bad-output-json'
  | 'job/contents-too-large'
  | 'job/bad-scatter'
  | 'job/bad-link'
  | 'job/bad-condition'
  | 'job/no-such-target';

export const jobError = (code: JobErrorCode, message: string, details?: ErrorDetails): HallmarkError<JobErrorCode> =>
  new HallmarkError(code, message, details);

/** The error with what it does not say itself of its place: its step, and, where it names no file, that and the line. */
export function withPlace(error: unknown, place: Where): unknown {
  if (!(error instanceof HallmarkError) || (error.where?.step !== undefined && error.where.file !== undefined))
    return error;
  const { code, message, hint, cause, retryable } = error;
  const { step } = place;
  const where =
    error.where?.file === undefined ? { ...place, ...error.where } : { ...(step && { step }), ...error.where };
  return new HallmarkError(code, message, { where, cause, retryable, ...(hint !== undefined && { hint }) });
}
