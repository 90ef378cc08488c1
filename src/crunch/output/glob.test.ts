import { expect, test } from 'vitest';
import { createGlobFilter } from './glob.ts';

/** Arvados API 3.2, "Container glob patterns", and the corners of it. */
const cases: [pattern: string, matching: string[], other: string[]][] = [
  ['*.txt', ['a.txt', '.txt'], ['a.txt.gz', 'd/a.txt', 'a-txt']],
  ['foo/**', ['foo/a', 'foo/b/c'], ['foo', 'foobar/a', 'x/foo/a']],
  ['**/fo[og]', ['foo', 'fog', 'a/foo', 'a/b/fog'], ['fob', 'foo/a', 'afoo']],
  ['foo/**/*.txt', ['foo/a.txt', 'foo/b/c/a.txt'], ['a.txt', 'foo/a.bam']],
  ['**', ['a', 'a/b'], []],
  ['?', ['a', 'é'], ['ab', '/']],
  ['[!a-c]x', ['dx', '-x'], ['ax', '/x']],
  ['[^a]', ['b'], ['a', '/']],
  ['[a-]', ['a', '-'], ['b']],
  ['[]]', [']'], ['[']],
  ['[abc', ['[abc'], ['a']],
  ['a.b+(c)', ['a.b+(c)'], ['aXb+(c)', 'a.bb(c)']],
  ['./out/*', ['out/a'], ['a']],
  ['\\*', ['*'], ['a']],
  ['a**b', ['ab', 'axb'], ['a/b']],
  ['new\nline*', ['new\nline1'], ['newline1']],
];

test.each(cases)('%s', (pattern, matching, other) => {
  const wanted = createGlobFilter([pattern]);
  expect(matching.filter((path) => !wanted(path))).toEqual([]);
  expect(other.filter(wanted)).toEqual([]);
});

test('no pattern matches everything, several match what any of them does', () => {
  expect(createGlobFilter([])('any/thing')).toBe(true);
  const wanted = createGlobFilter(['a', 'b']);
  expect(['a', 'b', 'c'].map(wanted)).toEqual([true, true, false]);
});

test('a pattern made to take for ever does not', () => {
  expect(createGlobFilter([`${'**/'.repeat(12)}${'*a'.repeat(12)}`])(`${'a/'.repeat(25)}${'a'.repeat(60)}b`)).toBe(
    false,
  );
});
