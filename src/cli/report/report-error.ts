import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { firstCause, HallmarkError, toMessage, type Where, whereOf } from '../../core/errors.ts';
import { InvalidDocumentError } from '../../cwl/errors.ts';
import { type Problem, renderProblem } from '../../cwl/problem.ts';
import { redact } from '../../image/redact.ts';
import { exitCodes } from '../exit-codes.ts';
import { placeField } from './place-field.ts';

/** Last part of the URI that values from the command line have as their source. */
export const commandLineSource = '(command line)';

const unsupported = /^(cwl|job)\/unsupported-(requirement|process)$/;

/** Exit code of an error: 33 for what the standard allows a runner not to support, 2 for a wrong command line, 1 otherwise. */
export function exitCodeOf(error: unknown): number {
  const codes: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof HallmarkError) codes.push(current.code);
  }
  if (codes.some((code) => unsupported.test(code))) return exitCodes.unsupported;
  if (codes.includes('cli/hung-up')) return exitCodes.hungUp;
  if (codes.includes('cli/interrupted')) return exitCodes.interrupted;
  if (codes.includes('cli/terminated')) return exitCodes.terminated;
  return codes.includes('cli/usage') ? exitCodes.usage : exitCodes.failure;
}

/** What failed, expected, got, where, the source line where there is one, and what to do; the stack only on demand. */
export function formatError(error: unknown, options: { readonly debug: boolean }): string {
  if (error instanceof InvalidDocumentError && !options.debug) return error.problems.map(formatProblem).join('\n');
  const lines: string[] = [];
  const outer = error instanceof HallmarkError ? error : undefined;
  const cause = firstCause(error);
  const inner = cause instanceof HallmarkError && cause !== outer ? cause : undefined;
  const where = placeField(whereOf(error));
  lines.push(`${formatPlace(where)}${toMessage(error)}`);
  // What the system said is already in the words of who asked it; another room's error is news.
  if (inner && !toMessage(error).includes(inner.message)) lines.push(`  cause: ${inner.message}`);
  lines.push(...sourceLine(where));
  if (where.step) lines.push(`  step: ${where.step}`);
  if (where.expression && where.field) lines.push(`  field: ${where.field}`);
  if (where.container) lines.push(`  container: ${where.container}`);
  const hint = outer?.hint ?? inner?.hint;
  if (hint) lines.push(`  hint: ${hint}`);
  if (options.debug) lines.push(...stacksOf(error));
  return lines.join('\n');
}

/** A problem of a document with its source line; one of the command line's own values has no place to show. */
export function formatProblem(problem: Problem): string {
  const { severity, message, hint, position } = problem;
  if (!position.file.endsWith(commandLineSource)) return renderProblem(problem);
  return [`${severity}: ${message}`, ...(hint ? [`  hint: ${hint}`] : [])].join('\n');
}

/** `file:line:column: `, as much of it as is known. */
export function formatPlace(where: Where): string {
  if (!where.file) return '';
  return `${shown(where.file)}${where.line === undefined ? '' : `:${where.line}:${where.column ?? 1}`}: `;
}

function sourceLine({ file, line, column }: Where): string[] {
  if (!file || line === undefined) return [];
  try {
    const text = readFileSync(shown(file), 'utf8').split('\n')[line - 1];
    if (text === undefined || text.length > 400) return [];
    return [`  | ${redact(text)}`, `  | ${' '.repeat(Math.max(0, (column ?? 1) - 1))}^`];
  } catch {
    return [];
  }
}

function shown(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}

function stacksOf(error: unknown): string[] {
  const stacks: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause)
    stacks.push(current.stack ?? current.message);
  return stacks;
}

/** The shape of schemas/error.schema.json. */
export function toErrorJson(error: unknown): Record<string, unknown> {
  if (!(error instanceof HallmarkError)) return { code: 'cli/internal', message: toMessage(error) };
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.where === undefined ? {} : { where: placeField(error.where) }),
    ...(error instanceof InvalidDocumentError && { problems: error.problems.map(toProblemJson) }),
    ...(error.cause instanceof HallmarkError ? { cause: toErrorJson(error.cause) } : {}),
  };
}

/** As in schemas/error.schema.json and schemas/validation.schema.json. */
export const toProblemJson = ({ severity, rule, message, hint, position }: Problem) => ({
  ...{ severity, rule, message },
  ...(hint === undefined ? {} : { hint }),
  where: position,
});
