import { keepError } from './errors.ts';

/**
 * Orders as Arvados does, by Unicode code point. UTF-16 code units order alike except where a surrogate meets
 * U+E000…U+FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Puts surrogates (they stand for U+10000 and up) after every other code unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** `PATH_MAX` of Linux: what is longer cannot be opened anywhere. */
const maxPathLength = 4096;

/** What is wrong with a relative path of a collection, or undefined. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.length > maxPathLength) return `is longer than ${maxPathLength} characters`;
  if (path.includes('\0')) return 'holds a NUL';
  if (!path.isWellFormed()) return 'is not valid Unicode';
  for (const part of path.split('/')) {
    if (part === '') return path.startsWith('/') ? 'is absolute' : 'has an empty part';
    if (part === '.' || part === '..') return `has the part "${part}"`;
  }
  return undefined;
}

/** Returns `path` when it may name a file or directory of a collection, else throws `keep/bad-path`. */
export function checkPath(path: string): string {
  const problem = pathProblem(path);
  if (problem === undefined) return path;
  throw keepError('keep/bad-path', `a path in a collection ${problem}: ${JSON.stringify(path.slice(0, 200))}`, {
    hint: 'use a relative path such as "results/table.tsv"',
  });
}

/** `''` for a path at the top. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Either may be `''`, the root. */
export function joinPath(parent: string, name: string): string {
  return parent === '' ? name : name === '' ? parent : `${parent}/${name}`;
}

/** The directories above `path`, nearest first, without the root. */
export function* ancestors(path: string): Generator<string> {
  for (let parent = parentPath(path); parent !== ''; parent = parentPath(parent)) yield parent;
}
