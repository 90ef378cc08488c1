import { imageError } from '../../errors.ts';

/** Whether a path holds `*`, `?` or `[` that is not escaped. */
export const hasWildcard = (path: string): boolean => /^(?:[^\\*?[]|\\[\s\S])*[*?[]/.test(path);

/** Go's `path/filepath.Match` as a regular expression for one part of a path or, `*` never crossing `/`, for a whole one. */
export function toMatcher(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const set = readSet(pattern, at);
      source += set.source;
      at = set.end;
    } else if (char === '\\') {
      at += 1;
      if (at >= pattern.length) throw badPattern(pattern);
      source += literal(pattern.charAt(at));
    } else source += literal(char);
  }
  return new RegExp(`^${source}$`, 's');
}

/** Fails with `image/bad-dockerfile` for a pattern that Go calls malformed. */
export function checkPattern(pattern: string): void {
  toMatcher(pattern);
}

export const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const badPattern = (pattern: string) =>
  imageError('image/bad-dockerfile', `expected a pattern, got "${pattern}", which does not end`);

/** `[abc]`, `[a-z]`, `[^x]`: at least one character, escapes allowed, never `/`. */
function readSet(pattern: string, start: number): { source: string; end: number } {
  let at = start + 1;
  const isNegated = pattern.charAt(at) === '^';
  if (isNegated) at += 1;
  let ranges = '';
  const next = (): string => {
    if (pattern.charAt(at) === '\\') at += 1;
    const char = pattern.charAt(at);
    if (char === '' || char === ']' || char === '-') {
      if (pattern.charAt(at - 1) !== '\\') throw badPattern(pattern);
    }
    at += 1;
    return literal(char);
  };
  while (ranges === '' || pattern.charAt(at) !== ']') {
    const low = next();
    if (pattern.charAt(at) === '-') {
      at += 1;
      ranges += `${low}-${next()}`;
    } else ranges += low;
  }
  return { source: isNegated ? `[^/${ranges}]` : `(?!/)[${ranges}]`, end: at };
}
