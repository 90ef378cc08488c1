// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import { describe, expect, it } from 'vitest';
import type { Image } from '../../model.ts';
import type { PlanOptions } from '../plan/model.ts';
import { planBuild } from '../plan/plan.ts';
import { fetchesOf, listRemotes } from './remotes.ts';
import { scratchState, toImage, withConfig } from './state.ts';

const platform = { os: 'linux', architecture: 'amd64' };

function list(text: string, options: PlanOptions = {}, bases: ReadonlyMap<string, Image> = new Map()) {
  return listRemotes(planBuild(text, { platform, fileName: 'D', ...options }), bases);
}
const urls = (...given: Parameters<typeof list>) => list(...given).map(({ url }) => url);

const imageWith = (config: object) => toImage(withConfig(scratchState(platform), config), 0);

describe('what a build fetches', () => {
  it('is known with ARG and ENV of the stage put in, as they are at that line', () => {
    const text = [
      'ARG HOST=h',
      'FROM scratch',
      'ARG HOST',
      'ARG V=1.0',
      'ENV NAME=tool-$V',
      'ADD https://$HOST/${NAME%.0}.tgz https://${NONE:-other}/b /d/',
    ].join('\n');
    expect(urls(text)).toEqual(['https://h/tool-1.tgz', 'https://other/b']);
  });

  it('is what build arguments say', () => {
    expect(urls('FROM scratch\nARG V=1\nADD http://h/$V /', { buildArgs: { V: '2' } })).toEqual(['http://h/2']);
  });

  it('comes from the stages that the target needs', () => {
    const text =
      'FROM scratch AS a\nENV V=1\nADD http://h/$V /\nFROM scratch AS b\nADD http://h/b /\nFROM a\nADD http://h/c$V /';
    expect(urls(text)).toEqual(['http://h/1', 'http://h/c1']);
    expect(urls(text, { target: 'b' })).toEqual(['http://h/b']);
  });

  it('is known with variables and triggers of base images', () => {
    const base = imageWith({ Env: ['V=7'], OnBuild: ['ADD http://h/t$V /'] });
    expect(urls('FROM base\nADD http://h/$V /', {}, new Map([['base', base]]))).toEqual(['http://h/t7', 'http://h/7']);
  });

  it('is a file, or the tree of a repository', () => {
    const text = [
      'FROM scratch',
      `ADD --checksum=sha256:${'a'.repeat(64)} http://h/f?x=1 /`,
      'ADD --keep-git-dir https://h/r.git#v1:sub /',
      'ADD git@h:o/r.git /',
      'ADD local /',
    ].join('\n');
    expect(list(text)).toEqual([
      {
        ...{ kind: 'file', url: 'http://h/f?x=1', source: 'http://h/f?x=1', line: 2, keepGitDir: false },
        checksum: `sha256:${'a'.repeat(64)}`,
      },
      {
        ...{ kind: 'git', url: 'https://h/r.git#v1:sub', source: 'https://h/r.git#v1:sub', line: 3, keepGitDir: true },
        git: { repository: 'https://h/r.git', ref: 'v1', subdir: 'sub' },
      },
      {
        ...{ kind: 'git', url: 'git@h:o/r.git', source: 'git@h:o/r.git', line: 4, keepGitDir: false },
        git: { repository: 'git@h:o/r.git' },
      },
    ]);
  });

  it.each([
    ['FROM scratch\nADD a /b', 'nothing'],
    ['FROM scratch\nADD http://h/a /b', 'known'],
    ['FROM scratch\nADD http://h/$V /b', 'variable'],
    ['FROM scratch\nADD $V /b', 'variable'],
    ['FROM scratch\nARG V\nENV U=${V:-1}/x\nADD http://h/$U /b', 'known'],
    ['FROM scratch\nENV U=$HOST/x\nADD http://$U /b', 'variable'],
    ['FROM scratch\nADD local-$V /b', 'nothing'],
    ['FROM scratch AS no\nADD http://h/a /b\nFROM scratch', 'nothing'],
  ])('is told of %j beforehand: %s', (text, expected) => {
    expect(fetchesOf(planBuild(text, { platform }))).toBe(expected);
  });

  it.each([
    [
      'ADD http://h/ /d/',
      /^expected a file name at the end of http:\/\/h\/, which goes into a directory$/,
      /\/d\/NAME/,
    ],
    ['ADD http://h/a/%2e%2e /d/', /^expected a file name/, undefined],
    ['ADD http://h/%00 /d/', /^expected a file name/, undefined],
    ['ENV U=ftp://me:pw@h/x\nADD $U /d/', /^ADD of ftp:\/\/\*\*\*@h\/x is not supported/, undefined],
    ['ARG HOST\nADD http://$HOST/evil/x /d/', /^expected a URL to ADD, got "http:\/\/\/evil\/x"$/, undefined],
    [
      'ENV S=x\nADD --checksum=$S http://h/a /d/',
      /^expected ADD --checksum=sha256: and 64 hex digits, got "x"$/,
      undefined,
    ],
    [`ENV A=local\nADD --checksum=sha256:${'0'.repeat(64)} $A /d/`, /^expected ADD --checksum of one URL/, undefined],
  ])('refuses %j with its line', (lines, message, hint) => {
    const line = lines.split('\n').length + 1;
    expect(() => list(`FROM scratch\n${lines}`)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(message),
        where: { file: 'D', line },
        ...(hint && { hint: expect.stringMatching(hint) }),
      }),
    );
  });
});
