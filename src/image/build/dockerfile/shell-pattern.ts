import { imageError } from '../../errors.ts';

const regexpSyntax = '[]{}.+()|^$';

/** A pattern of `?` and `*` as a regular expression; bracket expressions are literal, as in BuildKit. */
function toRegExp(pattern: string, options: { greedy: boolean; anchored: boolean; global?: boolean }): RegExp {
  const chars = [...pattern];
  let source = options.anchored ? '^' : '';
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? '';
    if (char === '*') source += options.greedy ? '.*' : '.*?';
    else if (char === '?') source += '.';
    else if (char === '\\') {
      const next = chars[at + 1] ?? '';
      if (next === '}' || next === '/') continue;
      if (!'*?\\'.includes(next) || next === '') {
        throw imageError(
          'image/bad-dockerfile',
          `expected \\*, \\? or \\\\ in the pattern "${pattern}", got "\\${next}"`,
        );
      }
      source += `\\${next}`;
      at += 1;
    } else source += regexpSyntax.includes(char) || char === '/' ? `\\${char}` : char;
  }
  return new RegExp(source, options.global ? 'gu' : 'u');
}

/** `${name#pattern}`, greedy for `##`. */
export function trimPrefix(value: string, pattern: string, greedy: boolean): string {
  return value.replace(toRegExp(pattern, { greedy, anchored: true }), '');
}

/** `${name%pattern}`, greedy for `%%`: the prefix of the reversed value, since a regular expression looks from the left. */
export function trimSuffix(value: string, pattern: string, greedy: boolean): string {
  const reversed = [...value].reverse().join('');
  return [...trimPrefix(reversed, reversePattern(pattern), greedy)].reverse().join('');
}

/** `${name/pattern/replacement}`, all of them for `//`. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  return value.replace(toRegExp(pattern, { greedy: true, anchored: false, global: all }), () => replacement);
}

/** Reversed with its escapes whole: `a\*c` gives `c\*a`. */
function reversePattern(pattern: string): string {
  return (pattern.match(/\\?./gsu) ?? []).reverse().join('');
}
