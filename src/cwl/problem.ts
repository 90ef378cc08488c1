import { type CwlErrorCode, InvalidDocumentError } from './errors.ts';
import type { Position } from './model.ts';
import { lineOf, positionOf, type Span } from './syntax/node.ts';

export type ProblemRule =
  | 'unknown-field'
  | 'missing-field'
  | 'wrong-type'
  | 'bad-value'
  | 'unknown-class'
  | 'unknown-type'
  | 'unknown-reference'
  | 'duplicate-id'
  | 'version'
  | 'unsupported-requirement'
  | 'link-type'
  | 'missing-input'
  | 'cycle'
  | 'scatter'
  | 'secondary-files'
  | 'conditional'
  | 'unused'
  | 'expression'
  | 'input'
  | 'format';

/** One finding in a document, complete enough to print, and to write as JSON or SARIF. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly rule: ProblemRule;
  readonly message: string;
  readonly hint?: string;
  readonly position: Position;
  readonly length: number;
  /** The line of the source that `position` names. */
  readonly sourceLine: string;
}

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

/**
 * For people, in the form of compilers:
 *
 *     tool.cwl:3:1: error: unknown field "inptus"
 *       inptus:
 *       ^~~~~~ did you mean "inputs"?
 */
export function renderProblem(problem: Problem): string {
  const { position, severity, message, hint, sourceLine, length } = problem;
  const marker = ' '.repeat(position.column - 1) + '^' + '~'.repeat(length - 1);
  const line = sourceLine.replaceAll('\t', ' ');
  const head = `${position.file}:${position.line}:${position.column}: ${severity}: ${message}`;
  const shown = line.length > 200 ? [] : [`  ${line}`, `  ${marker}`];
  return [head, ...shown, ...(hint ? [`  ${hint}`] : [])].join('\n');
}

/** The nearest of `names`, if it is near enough to be what was meant. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const limit = bestDistance;
    const distance =
      candidate.toLowerCase() === name.toLowerCase()
        ? 0
        : editDistance(name.toLowerCase(), candidate.toLowerCase(), limit);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  const near = nearest(name, names);
  return near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`;
}

/** Optimal string alignment distance: a swap of neighbours counts one. Gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) value = Math.min(value, (beforeLast[j - 2] ?? 0) + 1);
      row.push(value);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit;
}
