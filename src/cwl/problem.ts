import type { Position } from './model.ts';

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
  | 'format'
  /** It could not be read at all. */
  | 'unreadable';

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
