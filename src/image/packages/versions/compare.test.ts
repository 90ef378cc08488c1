import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { PackageKind } from '../model.ts';
import { compareVersions } from './compare.ts';

const signOf = (kind: PackageKind, a: string, b: string) => Math.sign(compareVersions(kind, a, b));

/** Each is older than the next. */
const ascending: readonly [PackageKind, readonly string[]][] = [
  [
    'deb',
    [
      '1.0~~',
      '1.0~~a',
      '1.0~',
      '1.0~rc1',
      '1.0',
      '1.0-0.1',
      '1.0-1',
      '1.0-1+b1',
      '1.0a',
      '1.0+dfsg',
      '1.0.1',
      '1.2',
      '1.10',
      '1:0.1',
    ],
  ],
  [
    'rpm',
    ['1.0~rc1-1', '1.0-1', '1.0-1.el9', '1.0-2', '1.0^git1-1', '1.0.a-1', '1.0.1-1', '1.9-1', '1.10-1', '1:0.1-1'],
  ],
  [
    'apk',
    [
      '1.0_alpha',
      '1.0_alpha1',
      '1.0_beta',
      '1.0_rc1',
      '1.0',
      '1.0-r1',
      '1.0-r10',
      '1.0_p1',
      '1.0a',
      '1.0.01',
      '1.0.1',
      '1.2',
      '1.10',
    ],
  ],
  ['pypi', ['1.2', '1.2.1', '1.10', '2']],
  ['cran', ['0.9-9', '1.0', '1.0-2', '1.0-10']],
];

describe.each(ascending)('versions of %s', (kind, versions) => {
  it('have one order', () => {
    for (const [i, a] of versions.entries()) {
      for (const [j, b] of versions.entries()) expect([a, b, signOf(kind, a, b)]).toEqual([a, b, Math.sign(i - j)]);
    }
  });
});

describe('an order that is not known', () => {
  it.each<[PackageKind, string, string]>([
    ['pypi', '1.0rc1', '1.0'],
    ['conda', '1.1.1w', '1.1.1t'],
    ['apk', 'edge', '1.0'],
  ])('is not guessed: %s %s %s', (kind, a, b) => {
    expect(compareVersions(kind, a, b)).toBeNaN();
    expect(compareVersions(kind, a, a)).toBe(0);
  });
});

describe.skipIf(spawnSync('dpkg', ['--version']).error)('versions of deb, as dpkg orders them', () => {
  const [, versions] = ascending[0] ?? ['deb', []];
  const odd = [
    '0',
    '00',
    '0:1',
    '1-0',
    '1.0-a',
    '1.0a-1',
    '2.0.0~beta1-1',
    '2.0.0-1~bpo12+1',
    '20250101-3',
    '1.0-1ubuntu2',
    '1.2.3+git20240101.abc-1',
  ];
  const all = [...versions, ...odd];
  it('in every pair', () => {
    const script = all.flatMap((a) =>
      all.map(
        (b) =>
          `dpkg --compare-versions '${a}' lt '${b}' && echo lt || { dpkg --compare-versions '${a}' eq '${b}' && echo eq || echo gt; }`,
      ),
    );
    const answers = execFileSync('sh', ['-c', script.join('\n')], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const words = new Map([
      [-1, 'lt'],
      [0, 'eq'],
      [1, 'gt'],
    ]);
    expect(all.flatMap((a) => all.map((b) => words.get(signOf('deb', a, b))))).toEqual(answers);
  }, 60_000);
});

describe.skipIf(spawnSync('rpm', ['--version']).error)('versions of rpm, as rpm orders them', () => {
  const versions = [
    ...['1.0~~', '1.0~rc1', '1.0~^', '1.0~', '1.0', '1.0^', '1.0^~', '1.0^git', '1.0^20160101^git1', '1.0^20160102'],
    ...['1.0.1', '1.0a', '1.0.a', '2.0.1a', '2.0.1', '10xyz', '10.1xyz', 'xyz10', 'xyz10.1', 'a', '1', '1.05', '1.5'],
    ...['1_2', '1.2', '1..2', '20240101', '6.0.rc1', '6.0', '1b.fc17', '1.fc17'],
  ];
  it('in every pair', () => {
    const list = `{${versions.map((version) => `'${version}'`).join(',')}}`;
    const script = `for _,a in ipairs(${list}) do for _,b in ipairs(${list}) do print(rpm.vercmp(a, b) .. ' ') end end`;
    const answers = execFileSync('rpm', ['--eval', `%{lua: ${script}}`], { encoding: 'utf8' });
    const own = versions.flatMap((a) => versions.map((b) => signOf('rpm', a, b)));
    expect(own).toEqual(answers.trim().split(/\s+/).map(Number));
  });
});
