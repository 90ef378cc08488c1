import { type ErrorDetails, HallmarkError } from '../core/errors.ts';
import type { Problem } from './problem.ts';

export type CwlErrorCode =
  | 'cwl/not-found'
  | 'cwl/fetch-refused'
  | 'cwl/fetch-failed'
  | 'cwl/bad-yaml'
  | 'cwl/yaml-limit'
  | 'cwl/invalid-document'
  | 'cwl/unsupported-requirement'
  | 'cwl/no-such-process'
  | 'cwl/bad-input'
  | 'cwl/expression-failed'
  | 'cwl/expression-limit';

export const cwlError = (code: CwlErrorCode, message: string, details?: ErrorDetails): HallmarkError<CwlErrorCode> =>
  new HallmarkError(code, message, details);

/** A document or input object with problems: all of them at once; message and place are those of the first. */
export class InvalidDocumentError extends HallmarkError<CwlErrorCode> {
  readonly problems: readonly Problem[];

  constructor(code: CwlErrorCode, problems: readonly Problem[]) {
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(code, `${first?.message ?? 'invalid document'}${more}`, {
      ...(first && { where: first.position }),
      ...(first?.hint !== undefined && { hint: first.hint }),
    });
    this.problems = problems;
  }
}
