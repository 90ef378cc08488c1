import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type ProvenanceErrorCode =
  /** No record of the cluster has this content or this name. */
  | 'provenance/not-found'
  /** Neither a uuid, nor a portable data hash, nor a file that can be read. */
  | 'provenance/bad-subject';

export const provenanceError = (
  code: ProvenanceErrorCode,
  message: string,
  details?: ErrorDetails,
): HallmarkError<ProvenanceErrorCode> => new HallmarkError(code, message, details);
