import type { Collection } from '../keep/collection.ts';
import { compareCodePoints } from '../keep/paths.ts';
import { findEntry, listDirectory } from '../keep/tree.ts';
import { jobError } from './errors.ts';

/**
 * Paths of files and directories that a pattern names, in POSIX order (CWL v1.2, `glob`: glob(3); `''` is the output directory
 * itself). A wildcard takes no dot at the start of a name. Fails with `job/outside-output` where a pattern leaves the directory.
 */
export function matchGlob(collection: Collection, pattern: string, outdir: string): string[] {
  const relative = toRelative(pattern, outdir);
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw outside(pattern);
  let matched = [''];
  for (const part of parts) matched = matched.flatMap((directory) => matchPart(collection, directory, part));
  if (relative.endsWith('/')) matched = matched.filter((path) => findEntry(collection, path)?.kind === 'directory');
  return matched.sort(compareCodePoints);
}

function toRelative(pattern: string, outdir: string): string {
  if (pattern === outdir) return '.';
  if (pattern.startsWith(`${outdir}/`)) return pattern.slice(outdir.length + 1);
  if (pattern.startsWith('/')) throw outside(pattern);
  return pattern;
}

const outside = (pattern: string) =>
  jobError(
    'job/outside-output',
    `glob: expected a pattern inside the output directory, got ${JSON.stringify(pattern)}`,
    {
      hint: 'use a relative pattern without ".."',
    },
  );

function matchPart(collection: Collection, directory: string, part: string): string[] {
  const parent = directory === '' ? '' : `${directory}/`;
  if (!/[*?[]/.test(part)) {
    const path = parent + part.replace(/\\(.)/g, '$1');
    return findEntry(collection, path) ? [path] : [];
  }
  if (findEntry(collection, directory)?.kind !== 'directory') return [];
  const tokens = tokenize(part);
  return listDirectory(collection, directory).flatMap(({ name }) => (matchesName(tokens, name) ? [parent + name] : []));
}

type Token = '*' | ((character: string) => boolean);

function tokenize(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? '';
    const close = character === '[' ? classEnd(characters, i) : -1;
    if (character === '*') tokens.push('*');
    else if (character === '?') tokens.push(() => true);
    else if (close > 0) {
      tokens.push(toClass(characters.slice(i + 1, close)));
      i = close;
    } else {
      if (character === '\\' && i + 1 < characters.length) i += 1;
      const literal = characters[i];
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

/** Index of the `]` that ends a class; one that comes first belongs to it. -1: the `[` is an ordinary character. */
function classEnd(characters: readonly string[], start: number): number {
  const negated = characters[start + 1] === '!' || characters[start + 1] === '^';
  return characters.indexOf(']', start + (negated ? 3 : 2));
}

function toClass(members: readonly string[]): (character: string) => boolean {
  const negated = members[0] === '!' || members[0] === '^';
  const inner = negated ? members.slice(1) : members;
  const ranges: [string, string][] = [];
  for (let i = 0; i < inner.length; i += 1) {
    const from = inner[i] ?? '';
    const isRange = inner[i + 1] === '-' && i + 2 < inner.length;
    ranges.push([from, isRange ? (inner[i + 2] ?? '') : from]);
    if (isRange) i += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== negated;
}

/** Goes back to the last `*` only, so that no pattern takes more than pattern × name steps. */
function matchesName(tokens: readonly Token[], name: string): boolean {
  const characters = [...name];
  if (characters[0] === '.' && !isLiteralDot(tokens[0])) return false;
  let token = 0;
  let position = 0;
  let star = -1;
  let starPosition = 0;
  while (position < characters.length) {
    const current = tokens[token];
    if (current === '*') {
      star = token;
      starPosition = position;
      token += 1;
    } else if (current?.(characters[position] ?? '')) {
      token += 1;
      position += 1;
    } else if (star >= 0) {
      token = star + 1;
      starPosition += 1;
      position = starPosition;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

/** A dot itself, not a wildcard or class that also takes one. */
const isLiteralDot = (token: Token | undefined): boolean =>
  typeof token === 'function' && token('.') && !token('a') && !token('-');
