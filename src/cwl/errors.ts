import { type ErrorDetails, HallmarkError } from '../core/errors.ts';

export type CwlErrorCode =
  | 'cwl/not-found'
  | 'cwl/fetch-refused'
  | 'cwl/fetch-failed'
  | 'cwl/bad-yaml'
  | 'cwl/yaml-limit'
  | 'cwl/invalid-document'
  | 'cwl/unsupported-version'
  | 'cwl/unsupported-requirement'
  | 'cwl/no-such-process'
  | 'cwl/type-mismatch'
  | 'cwl/bad-input'
  | 'cwl/expression-failed'
  | 'cwl/expression-limit';

export const cwlError = (code: CwlErrorCode, message: string, details?: ErrorDetails): HallmarkError<CwlErrorCode> =>
  new HallmarkError(code, message, details);
