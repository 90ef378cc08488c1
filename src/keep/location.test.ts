import { describe, expect, it } from 'vitest';
import type { PortableDataHash } from '../core/ids.ts';
import { formatKeepLocation, parseKeepLocation } from './location.ts';

const hash = 'd41d8cd98f00b204e9800998ecf8427e+0' as PortableDataHash;

describe('keep locations', () => {
  it.each([
    ['', `keep:${hash}`],
    ['a/b.txt', `keep:${hash}/a/b.txt`],
    ['a b%/(c)\'!*"#?é', `keep:${hash}/a%20b%25/%28c%29%27%21%2A%22%23%3F%C3%A9`],
    ['A:x+y@z~', `keep:${hash}/A:x+y@z~`],
  ])('round trip of %j', (path, location) => {
    expect(formatKeepLocation(hash, path)).toBe(location);
    expect(parseKeepLocation(location)).toEqual({ portableDataHash: hash, path });
  });

  it('takes a directory with a slash at its end', () => {
    expect(parseKeepLocation(`keep:${hash}/dir/`).path).toBe('dir');
  });

  it.each([
    'file:///etc/passwd',
    'keep:zzzzz-4zz18-000000000000000/a',
    `keep:${hash}/../x`,
    `keep:${hash}/a//b`,
    `keep:${hash}/a/%2e%2e/b`,
    `keep:${hash}/%00`,
    `keep:${hash}/%ff`,
  ])('refuses %j', (location) => {
    expect(() => parseKeepLocation(location)).toThrowError(expect.objectContaining({ code: 'keep/bad-path' }));
  });
});
