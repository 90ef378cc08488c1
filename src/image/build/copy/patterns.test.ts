import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseChmod } from './chmod.ts';
import { parseIgnoreFile, readIgnoreFile } from './ignore.ts';
import { checkPattern, hasWildcard, toMatcher } from './match.ts';

describe('filepath.Match', () => {
  // From the tables of Go's path/filepath and what they leave out.
  it.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'a', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a☺b', true],
    ['a???b', 'a☺b', false],
    ['[a-ζ]*', 'α', true],
    ['a?b', 'a/b', false],
    ['a[^x]b', 'a/b', false],
    ['[\\]a]', ']', true],
    ['[\\-]', '-', true],
    ['[x\\-]', 'x', true],
    ['a.b+c', 'a.b+c', true],
    ['a.b', 'axb', false],
    ['*', '.hidden', true],
  ])('%s on %s is %s', (pattern, name, expected) => {
    expect(toMatcher(pattern).test(name)).toBe(expected);
  });

  it.each(['[', 'a[', '[^', '[^bc', '[]a]', '[-]', '[x-]', '[-x]', 'a\\', '[\\'])('calls %s malformed', (pattern) => {
    expect(() => checkPattern(pattern)).toThrow(expect.objectContaining({ code: 'image/bad-dockerfile' }));
  });

  it.each([
    ['a*', true],
    ['a\\*', false],
    ['[a]', true],
    ['plain', false],
    ['a\\\\?', true],
  ])('%s has a wildcard: %s', (path, expected) => {
    expect(hasWildcard(path)).toBe(expected);
  });
});

describe('.dockerignore', () => {
  it.each<[string, string, boolean]>([
    ['*.txt', 'a.txt', true],
    ['*.txt', 'd/a.txt', false],
    ['**/*.txt', 'a.txt', true],
    ['**/*.txt', 'd/e/a.txt', true],
    ['d', 'd/e/f', true],
    ['d/', 'd/e', true],
    ['/d', 'd', true],
    ['./d', 'd', true],
    ['d/../e', 'e', true],
    ['d/**', 'd/e', true],
    ['d/**', 'd', false],
    ['**/d', 'a/b/d/c', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['**', 'anything/at/all', true],
    ['*\n!d', 'd/e', false],
    ['*\n!d/e', 'd/f', true],
    ['*\n!d/e', 'd/e', false],
    ['!d\n*', 'd', true],
    ['d\n!d/e\nd/e/f', 'd/e/f', true],
    ['# d', 'd', false],
    ['  d  ', 'd', true],
    ['\uFEFFd', 'd', true],
    ['d?', 'd1', true],
    ['[ab]', 'b', true],
    ['[^ab]', 'c', true],
    ['a.c', 'abc', false],
    ['a\\*', 'a*', true],
    ['.', 'd', false],
    ['', 'd', false],
    ['d\r\n', 'd', true],
  ])('%j ignores %s: %s', (text, path, expected) => {
    expect(parseIgnoreFile(text).isIgnored(path)).toBe(expected);
  });

  it('names the line of an exception of nothing', () => {
    const refused = expect.objectContaining({
      code: 'image/bad-dockerfile',
      where: { file: '.dockerignore', line: 2 },
    });
    expect(() => parseIgnoreFile('a\n!')).toThrow(refused);
  });

  it('is the one of the Dockerfile before the one of the context', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ignore-'));
    try {
      expect(await readIgnoreFile(dir)).toBeUndefined();
      writeFileSync(join(dir, '.dockerignore'), 'general');
      writeFileSync(join(dir, 'My.Dockerfile.dockerignore'), 'own');
      expect(await readIgnoreFile(dir, join(dir, 'My.Dockerfile'))).toBe('own');
      expect(await readIgnoreFile(dir, join(dir, 'Dockerfile'))).toBe('general');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('--chmod', () => {
  it.each<[string, number, boolean, number]>([
    ['755', 0o600, false, 0o755],
    ['0755', 0o600, false, 0o755],
    ['4711', 0o600, false, 0o4711],
    ['u+x', 0o644, false, 0o744],
    ['+x', 0o644, false, 0o755],
    ['a=r', 0o777, false, 0o444],
    ['go-w', 0o666, false, 0o644],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['g+s,+t', 0o755, true, 0o3755],
    ['u=rw,g=u', 0o600, false, -1],
  ])('%s makes of %o (directory: %s) %o', (text, mode, isDirectory, expected) => {
    if (expected < 0) expect(() => parseChmod(text)).toThrow(/expected --chmod to be octal/);
    else expect(parseChmod(text)(mode, isDirectory)).toBe(expected);
  });
});
