import { describe, expect, it } from 'vitest';
import type { GitReference } from '../../image/git-reference.ts';
import { parseGitUrl } from './git-url.ts';

const position = { file: 'file:///home/ada/w/tool.cwl', line: 3, column: 5 };

describe('parseGitUrl', () => {
  it.each<[string, GitReference | undefined]>([
    ['https://h/r.git', { repository: 'https://h/r.git' }],
    ['https://h/r.git#main', { repository: 'https://h/r.git', ref: 'main' }],
    ['https://h/r.git#main:a/b/', { repository: 'https://h/r.git', ref: 'main', subdir: 'a/b' }],
    ['https://h/r.git#:a', { repository: 'https://h/r.git', subdir: 'a' }],
    ['https://h/r#feature/x', { repository: 'https://h/r', ref: 'feature/x' }],
    ['ssh://git@h:22/r#v1', { repository: 'ssh://git@h:22/r', ref: 'v1' }],
    ['git@h:o/r.git#v1', { repository: 'git@h:o/r.git', ref: 'v1' }],
    ['file:///srv/r', { repository: 'file:///srv/r' }],
    ['../r.git#v1', { repository: 'file:///home/ada/r.git', ref: 'v1' }],
    ['/srv/my r#v1', { repository: 'file:///srv/my%20r', ref: 'v1' }],
    ['-x.git', { repository: 'file:///home/ada/w/-x.git' }],
    ['https://h/context.tar', undefined],
    ['ext::sh -c id#main', undefined],
    ['fd::3#main', undefined],
    ['s3://bucket/r.git', undefined],
    ['tools', undefined],
  ])('%s', (text, expected) => {
    expect(parseGitUrl(text, position)).toEqual(expected);
  });

  it.each([
    ['https://ann:secret@h/r.git', 'a URL without a password'],
    ['https://h/r.git#--upload-pack=evil', 'a branch, tag or commit after "#"'],
    ['https://h/r.git#a b', 'a branch, tag or commit after "#"'],
    ['https://h/r.git#main:../../etc', 'a folder inside the repository'],
  ])('refuses %s', (text, expected) => {
    const parse = () => parseGitUrl(text, position);
    expect(parse).toThrow(`context of hm:ImageBuild: expected ${expected}, got `);
    expect(parse).not.toThrow('secret');
  });
});
