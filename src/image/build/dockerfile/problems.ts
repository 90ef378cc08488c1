import { basename } from 'node:path';
import type { HallmarkError } from '../../../core/errors.ts';
import { isHallmarkError } from '../../../core/errors.ts';
import { type ImageErrorCode, imageError } from '../../errors.ts';

/** Gathers what is wrong with one Dockerfile, so that the reader sees all of it at once. */
export interface Problems {
  readonly fileName: string;
  readonly found: HallmarkError<ImageErrorCode>[];
  report(line: number | undefined, message: string, hint?: string): void;
  unsupported(line: number, message: string, hint?: string): void;
  /** Runs `parse`; an image error becomes a problem of this line, and the result is undefined. */
  attempt<T>(line: number, parse: () => T): T | undefined;
}

export function createProblems(fileName: string): Problems {
  const found: HallmarkError<ImageErrorCode>[] = [];
  const add = (code: ImageErrorCode, line: number | undefined, message: string, hint?: string) => {
    const where = { file: fileName, ...(line === undefined ? {} : { line }) };
    found.push(imageError(code, message, { where, ...(hint === undefined ? {} : { hint }) }));
  };
  return {
    fileName,
    found,
    report: (line, message, hint) => add('image/bad-dockerfile', line, message, hint),
    unsupported: (line, message, hint) => add('image/unsupported-instruction', line, message, hint),
    attempt(line, parse) {
      try {
        return parse();
      } catch (error) {
        if (!isHallmarkError<ImageErrorCode>(error, 'image/bad-dockerfile', 'image/unsupported-instruction'))
          throw error;
        add(error.code, line, error.message, error.hint);
        return undefined;
      }
    },
  };
}

/** One error for all of them: the first one's code and place; the message names each with its line. */
export function throwProblems(problems: Problems): void {
  const [first, ...rest] = [...problems.found].sort((a, b) => (a.where?.line ?? 0) - (b.where?.line ?? 0));
  if (!first) return;
  if (rest.length === 0) throw first;
  const lines = [first, ...rest].map(({ where, message, hint }) => {
    const place = where?.line ? `line ${where.line}: ` : '';
    return `${place}${message}${hint ? ` (${hint})` : ''}`;
  });
  const message = `${basename(problems.fileName)} has ${lines.length} problems: ${lines.join('; ')}`;
  throw imageError(first.code, message, first.where ? { where: first.where } : {});
}
