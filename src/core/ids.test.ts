import { expect, it } from 'vitest';
import { isPortableDataHash, isUuid, toBlockLocator, toDigest } from './ids.ts';

const md5 = 'd41d8cd98f00b204e9800998ecf8427e';

it.each<[(text: string) => string, string]>([
  [toDigest, `sha256:${md5}${md5}`],
  [toBlockLocator, `${md5}+3`],
  [toBlockLocator, `${md5}+3+A0123456789abcdef@5f612ee6+Rzzzzz-x`],
])('an id is its text', (parse, text) => expect(parse(text)).toBe(text));

it.each<[(text: string) => string, string, string, RegExp]>([
  [toDigest, `sha256:${md5}`, 'id/bad-digest', /^expected a digest "sha256:<64 hex digits>", got "sha256:d41d/],
  [toBlockLocator, `${md5}`, 'id/bad-locator', /^expected a block locator "<md5>\+<size>", got "d41d/],
])('what is none is refused', (parse, text, code, message) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});

it('names of content have no hints, and names of records three parts', () => {
  expect([`${md5}+0`, `${md5}+0+K@zzzzz`, md5].map(isPortableDataHash)).toEqual([true, false, false]);
  expect(['zzzzz-4zz18-0123456789abcde', 'zzzzz-4zz18', 'ZZZZZ-4zz18-0123456789abcde'].map(isUuid)).toEqual([
    true,
    false,
    false,
  ]);
});
