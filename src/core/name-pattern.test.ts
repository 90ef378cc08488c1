import { expect, it } from 'vitest';
import { compileNamePattern } from './name-pattern.ts';

it.each<[pattern: string, matching: string[], other: string[]]>([
  ['*.txt', ['a.txt', '.txt'], ['a.txt.gz', 'txt']],
  ['a?c', ['abc', 'aéc', 'a😀c'], ['ac', 'abbc']],
  ['[b-d]', ['b', 'd'], ['a', 'e', '-']],
  ['[!b-d]', ['a'], ['c']],
  ['[^b]', ['a'], ['b']],
  ['[]x]', [']', 'x'], ['a']],
  ['[!]]', ['x'], [']']],
  ['[a-]', ['a', '-'], ['b']],
  ['[ab', ['[ab'], ['a']],
  ['\\*', ['*'], ['a']],
  ['a\\', ['a\\'], ['a']],
  ['a*b*c', ['abc', 'axbbxc'], ['acb', 'ab']],
  ['', [''], ['a']],
])('%j', (pattern, matching, other) => {
  const matches = compileNamePattern(pattern);
  expect(matching.filter((name) => !matches(name))).toEqual([]);
  expect(other.filter(matches)).toEqual([]);
});

it('takes no exponential time', () => {
  expect(compileNamePattern(`${'*a'.repeat(40)}b`)('a'.repeat(20_000))).toBe(false);
});
