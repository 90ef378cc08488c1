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

/** The error with its step; with the place too, where it has none of its own. */
export function withPlace(error: unknown, place: Where): unknown {
  if (!(error instanceof HallmarkError) || error.where?.step !== undefined) return error;
  const { code, message, hint, cause, retryable } = error;
  const where = error.where === undefined ? place : { ...(place.step && { step: place.step }), ...error.where };
  return new HallmarkError(code, message, { where, cause, retryable, ...(hint !== undefined && { hint }) });
}
