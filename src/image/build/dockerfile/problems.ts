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
  const message = `${problems.fileName} has ${lines.length} problems: ${lines.join('; ')}`;
  throw imageError(first.code, message, first.where ? { where: first.where } : {});
}

/** `did you mean "x"?` for the nearest of `known`, or nothing where none is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? undefined : `did you mean "${best}"?`;
}

/** Insertions, deletions, changes and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      const change = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? at(i - 2, j - 2) + 1 : change;
      rows[i]?.push(Math.min(change, swap, at(i - 1, j) + 1, at(i, j - 1) + 1));
    }
  }
  return at(a.length, b.length);
}
