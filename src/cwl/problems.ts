import { type CwlErrorCode, InvalidDocumentError } from './errors.ts';
import type { Problem, ProblemRule } from './problem.ts';
import { lineOf, positionOf, type Span } from './syntax/node.ts';

/** Gathers what is wrong with a document or an input object, so that its writer sees all of it at once. */
export class Problems {
  readonly #found: Problem[] = [];
  readonly #seen = new Set<string>();

  error(rule: ProblemRule, span: Span, message: string, hint?: string): void {
    this.#add('error', rule, span, message, hint);
  }

  warn(rule: ProblemRule, span: Span, message: string, hint?: string): void {
    this.#add('warning', rule, span, message, hint);
  }

  get errors(): readonly Problem[] {
    return this.#sorted('error');
  }

  get warnings(): readonly Problem[] {
    return this.#sorted('warning');
  }

  /** Throws what was found, all of it, if any of it is an error. */
  throwIfAny(code: CwlErrorCode = 'cwl/invalid-document'): void {
    const errors = this.errors;
    if (errors.length === 0) return;
    const unsupported = errors.every(({ rule }) => rule === 'unsupported-requirement');
    throw new InvalidDocumentError(unsupported ? 'cwl/unsupported-requirement' : code, errors);
  }

  /** File by file as they came up, each from top to bottom. */
  #sorted(severity: Problem['severity']): readonly Problem[] {
    const files = new Map<string, number>();
    for (const { position } of this.#found) if (!files.has(position.file)) files.set(position.file, files.size);
    const order = ({ position: a }: Problem, { position: b }: Problem): number =>
      (files.get(a.file) ?? 0) - (files.get(b.file) ?? 0) || a.line - b.line || a.column - b.column;
    return this.#found.filter((problem) => problem.severity === severity).sort(order);
  }

  #add(severity: Problem['severity'], rule: ProblemRule, span: Span, message: string, hint: string | undefined): void {
    const key = `${severity} ${span.source.uri} ${span.start} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const sourceLine = lineOf(span);
    const position = positionOf(span);
    const length = Math.max(1, Math.min(span.end - span.start, sourceLine.length - position.column + 1));
    this.#found.push({ severity, rule, message, ...(hint && { hint }), position, length, sourceLine });
  }
}
