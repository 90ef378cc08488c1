/** Where something went wrong. Every part is optional; what is known is printed. Lines and columns count from 1. */
export interface Where {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Name of the workflow step. */
  readonly step?: string;
  /** UUID of the container or container request. */
  readonly container?: string;
  /** Name of the field, as the document spells it. */
  readonly field?: string;
  /** Text of the expression that failed, as the document has it. */
  readonly expression?: string;
}

/** What an error says beside its code and message. */
export interface ErrorDetails {
  /** The next thing for the reader to do. */
  readonly hint?: string;
  readonly where?: Where;
  readonly cause?: unknown;
  /** True where who throws knows that the same call may succeed later. */
  readonly retryable?: boolean;
}

/**
 * The only error class of the project. `code` is a member of the closed union of the folder that throws it;
 * `message` is one line, lower case: what failed, what was expected, what was got.
 */
export class HallmarkError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly hint: string | undefined;
  readonly where: Where | undefined;
  readonly retryable: boolean;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HallmarkError';
    this.code = code;
    this.hint = details.hint;
    this.where = details.where;
    this.retryable = details.retryable ?? false;
  }
}

/** Narrows `error` to a HallmarkError, optionally with one of `codes`. */
export function isHallmarkError<Code extends string>(error: unknown, ...codes: Code[]): error is HallmarkError<Code> {
  return error instanceof HallmarkError && (codes.length === 0 || codes.includes(error.code as Code));
}

/** The first cause: the innermost HallmarkError of the chain, or the innermost error. */
export function firstCause(error: unknown): unknown {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current;
}

/** All that is known of where it went wrong: what the error itself does not say, its first cause may. */
export function whereOf(error: unknown): Where {
  const of = (one: unknown): Where | undefined => (one instanceof HallmarkError ? one.where : undefined);
  return { ...of(firstCause(error)), ...of(error) };
}

/** The message of anything thrown. */
export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for the error that an aborted AbortSignal makes. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}
