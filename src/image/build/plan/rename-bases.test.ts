import { describe, expect, it } from 'vitest';
import { planBuild } from './plan.ts';
import { renameBases } from './rename-bases.ts';

const rename = (text: string, more: Parameters<typeof planBuild>[1] = {}): string =>
  renameBases(planBuild(text, more), (reference) => `private/${reference.replaceAll(/\W/g, '-')}`);

describe('renameBases', () => {
  it.each([
    ['a base', 'FROM debian:12\nRUN x', 'FROM private/debian-12\nRUN x'],
    ['a base from an argument', 'ARG B=a\nfrom ${B}:1 as Two', 'ARG B=a\nFROM private/a-1 AS two'],
    ['a base over several rows', 'FROM \\\n  a:1 \\\n  AS one\nRUN x', 'FROM private/a-1 AS one\n\n\nRUN x'],
    [
      'a stage and scratch',
      'FROM scratch AS a\nFROM a\nCOPY --from=a /x /',
      'FROM scratch AS a\nFROM a\nCOPY --from=a /x /',
    ],
    [
      'an image to copy from',
      'FROM a:1\nCOPY --chown=1 --from=b:2 /x /',
      'FROM private/a-1\nCOPY --chown=1 --from=private/b-2 /x /',
    ],
    [
      'an image to mount, and no other word that is equal',
      'FROM a:1\nRUN --mount=type=bind,from=b:2,target=/m echo from=b:2',
      'FROM private/a-1\nRUN --mount=type=bind,from=private/b-2,target=/m echo from=b:2',
    ],
    [
      'a stage by number',
      'FROM a:1\nFROM a:1\nCOPY --from=0 /x /',
      'FROM private/a-1\nFROM private/a-1\nCOPY --from=0 /x /',
    ],
    [
      'the name of a stage that comes later is an image before',
      'FROM b\nFROM scratch AS b\nCOPY --from=0 /x /',
      'FROM private/b\nFROM scratch AS b\nCOPY --from=0 /x /',
    ],
    ['heredocs as they are', 'FROM a:1\nCOPY <<E /f\nFROM b\nE', 'FROM private/a-1\nCOPY <<E /f\nFROM b\nE'],
    ['stages that nobody needs', 'FROM a:1 AS x\nRUN \\\n  no\nFROM b:2', 'FROM scratch AS x\n\n\nFROM private/b-2'],
    [
      'the frontend, and keeps the other directives',
      '# syntax=docker/dockerfile:1\n# escape=`\nFROM a:1',
      '# escape=`\n#\nFROM private/a-1',
    ],
  ])('renames %s', (_name, text, expected) => {
    expect(rename(text)).toBe(expected);
  });

  it('builds only what the target needs', () => {
    expect(rename('FROM a:1 AS x\nFROM b:2', { target: 'x' })).toBe('FROM private/a-1 AS x\nFROM scratch');
  });
});
