import { describe, expect, it } from 'vitest';
import { toDigest } from '../core/ids.ts';
import { formatReference, parseReference, toArchiveTags, toFamiliarName, toRepoTag } from './reference.ts';

const hex = 'a'.repeat(64);
const digest = toDigest(`sha256:${hex}`);

describe('parseReference', () => {
  it.each([
    ['debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['debian:stable-slim', 'docker.io/library/debian:stable-slim', 'debian:stable-slim'],
    ['library/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['index.docker.io/biocontainers/bwa:0.7.17', 'docker.io/biocontainers/bwa:0.7.17', 'biocontainers/bwa:0.7.17'],
    ['quay.io/biocontainers/bwa:0.7--1', 'quay.io/biocontainers/bwa:0.7--1', 'quay.io/biocontainers/bwa:0.7--1'],
    ['host:5000/img:tag', 'host:5000/img:tag', 'host:5000/img:tag'],
    ['host:5000/img', 'host:5000/img:latest', 'host:5000/img:latest'],
    ['localhost/img', 'localhost/img:latest', 'localhost/img:latest'],
    ['Host/img', 'Host/img:latest', 'Host/img:latest'],
    ['[::1]:5000/a/b:c', '[::1]:5000/a/b:c', '[::1]:5000/a/b:c'],
    ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`, `debian@${digest}`],
    [`h:1/i:t@${digest}`, `h:1/i:t@${digest}`, `h:1/i:t@${digest}`],
  ])('%s is %s', (text, canonical, familiar) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(canonical);
    expect(toFamiliarName(reference)).toBe(familiar);
    expect(parseReference(canonical)).toEqual({ ...reference, short: false });
    expect(formatReference(parseReference(familiar))).toBe(canonical);
  });

  it.each([
    ['', /is no repository name/],
    ['Debian', /lower case|no repository name/],
    ['a//b', /no repository name/],
    ['-a', /no repository name/],
    ['a/b:', /"" is no tag/],
    [`a:${'t'.repeat(129)}`, /is no tag/],
    ['a@sha512:abc', /expected a digest/],
    ['a@sha256:ABC', /expected a digest/],
    [hex, /image hash/],
    ['host_x.y/a', /is no registry/],
    [`quay.io/${'a/'.repeat(150)}a`, /longer than 255/],
    ['a b', /no repository name/],
  ])('refuses %s', (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'image/bad-reference' }));
  });

  it('hints at the lower-case name', () => {
    expect(() => parseReference('quay.io/Org/Img')).toThrow(
      expect.objectContaining({ hint: 'repository names are lower case: org/img' }),
    );
  });

  it('says whether a registry was named', () => {
    expect(parseReference('debian').short).toBe(true);
    expect(parseReference('docker.io/debian').short).toBe(false);
  });
});

describe('names for Arvados and for archives', () => {
  it('writes docker-image-repo-tag as arv-keepdocker does', () => {
    expect(toRepoTag(parseReference('docker.io/library/debian:stable-slim'))).toBe('debian:stable-slim');
    expect(toRepoTag(parseReference(`host:5000/img:tag@${digest}`))).toBe(`host:5000/img@${digest}`);
  });

  it('gives archives only tags', () => {
    expect(toArchiveTags(parseReference(`img:t@${digest}`))).toEqual(['img:t']);
    expect(toArchiveTags(parseReference(`img@${digest}`))).toEqual([]);
  });
});
