import { describe, expect, it } from 'vitest';
import { createFakeKeep, withCode } from '../../../test/fakes/job-kit.ts';
import { matchGlob } from './glob.ts';

const names = [
  'a.txt',
  'b.txt',
  '.hidden',
  'A.txt',
  'd/one',
  'd/two',
  'd/.dot',
  'e/f/g',
  'x[1]',
  'x1',
  'é',
  '*',
  'empty/',
];
const collection = await createFakeKeep().store(
  Object.fromEntries(names.map((name) => [name, name.endsWith('/') ? '' : name])),
);

describe('glob', () => {
  it.each<[string, readonly string[]]>([
    ['a.txt', ['a.txt']],
    ['*.txt', ['A.txt', 'a.txt', 'b.txt']],
    ['./*.txt', ['A.txt', 'a.txt', 'b.txt']],
    ['/out/*.txt', ['A.txt', 'a.txt', 'b.txt']],
    ['[ab].txt', ['a.txt', 'b.txt']],
    ['[!a-z].txt', ['A.txt']],
    ['?.txt', ['A.txt', 'a.txt', 'b.txt']],
    ['d', ['d']],
    ['d/', ['d']],
    ['a.txt/', []],
    ['*/', ['d', 'e', 'empty']],
    ['d/*', ['d/one', 'd/two']],
    ['d/.*', ['d/.dot']],
    ['.*', ['.hidden']],
    ['[.]hidden', ['.hidden']],
    ['*hidden', []],
    ['?hidden', []],
    ['*/*/g', ['e/f/g']],
    ['x\\[1\\]', ['x[1]']],
    ['x[[]1]', ['x[1]']],
    ['x[1]', ['x1']],
    ['x[', []],
    ['\\*', ['*']],
    ['?', ['*', 'd', 'e', 'é']],
    ['.', ['']],
    ['/out', ['']],
    ['none*', []],
  ])('%j', (pattern, expected) => expect(matchGlob(collection, pattern, '/out')).toEqual(expected));

  it.each(['../x', '/etc/passwd', 'd/../../x', '/out/../x', '/outside'])('refuses %j', (pattern) => {
    expect(() => matchGlob(collection, pattern, '/out')).toThrowError(
      withCode('job/outside-output', /inside the output directory/) as never,
    );
  });

  it('does not go back more than one star', async () => {
    const long = await createFakeKeep().store({ ['a'.repeat(200)]: '' });
    expect(matchGlob(long, `${'a*'.repeat(60)}b`, '/out')).toEqual([]);
  });
});
