import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Container, Mounts } from '../../src/api/records.ts';
import type { Collection } from '../../src/keep/collection.ts';
import { createSetting, onHost, type Setting, withImage } from './crunch-setting.ts';

let setting: Setting;
let reads: Collection;
beforeEach(async () => {
  setting = await createSetting();
  reads = await setting.store({ 'a.txt': 'A', 'sub/b.txt': 'B' });
});
afterEach(() => setting.close());

const tmp = { kind: 'tmp', capacity: 1_000_000 } as const;

function run(script: string, more: Partial<Container> = {}): Promise<Container> {
  const input = { kind: 'collection', portable_data_hash: reads.portableDataHash } as const;
  const mounts: Mounts = { '/out': tmp, '/keep/in': input, '/lit': { kind: 'text', content: 'L' }, '/other': tmp };
  return setting.run(withImage(['sh', '-c', script], { mounts, ...more }));
}

const output = async (script: string, more?: Partial<Container>): Promise<Record<string, string>> => {
  const container = await run(script, more);
  expect(container.runtime_status.error).toBeUndefined();
  return setting.readOutput(container);
};

describe('files', () => {
  test('of any depth, with empty directories', async () => {
    const container = await run('mkdir -p a/b/c empty/inner; echo 1 > f; echo 2 > a/b/c/g; : > none');
    expect(await setting.readOutput(container)).toEqual({ f: '1\n', 'a/b/c/g': '2\n', none: '' });
    const { directories } = await setting.deps.collections.byPortableDataHash(container.output ?? ('' as never));
    expect([...directories]).toContain('empty/inner');
  });

  test('are read whatever their permissions are, by a user as by root', async () => {
    const script =
      'mkdir -p d/e; echo 1 > f; echo 2 > d/g; echo 3 > d/e/h; chmod 000 f d/g; chmod 300 d/e; chmod 000 d .';
    expect(await output(script)).toEqual({ f: '1\n', 'd/g': '2\n', 'd/e/h': '3\n' });
  });

  test('are given up to Keep, not copied', async () => {
    const before = 5 * 1024 * 1024;
    const container = await run(`head -c ${before} /dev/zero > big; stat -c %i big`);
    const inode = Number((await setting.readLog(container))['stdout.txt']?.trim().split(' ')[1]);
    const { files } = await setting.deps.collections.byPortableDataHash(container.output ?? ('' as never));
    const locators = files.get('big')?.segments.map((segment) => segment.locator) ?? [];
    const path = await setting.blocks.wholeFile(locators);
    expect(path && statSync(path).ino).toBe(inode);
  });

  test('with any name', async () => {
    const names = ['with space', 'new\nline', '-dash', '*', '"quotes"', 'ünï', ':colon', '..dots', '\\back'];
    const script = names.map((name) => `printf x > './${name}'`).join('\n');
    expect(Object.keys(await output(script)).sort()).toEqual([...names].sort());
  });

  test('with names that are not UTF-8 keep their bytes as %XX, with a warning', async () => {
    const container = await run(
      `printf x > "$(printf 'b\\377d')"; mkdir "$(printf 'd\\376')"; printf y > "$(printf 'd\\376')/f"`,
    );
    expect(await setting.readOutput(container)).toEqual({ 'b%FFd': 'x', 'd%FE/f': 'y' });
    expect(container.runtime_status.warning).toMatch(/is not UTF-8: its odd bytes are kept as %XX/);
  });

  test('of which two come to one name are refused', async () => {
    const container = await run(`printf x > "$(printf 'b\\377')"; printf y > 'b%FF'`);
    expect(container.runtime_status.error).toMatch(/two output files have the name "b%FF" once it is made UTF-8/);
  });

  test('with several names are stored once and keep the other name', async () => {
    const container = await run('printf shared > a; ln a b; ln a ../kept');
    expect(await setting.readOutput(container)).toEqual({ a: 'shared', b: 'shared' });
  });

  test('a hard link to a file of the host is not taken from its owner', async () => {
    const own = join(setting.directory, 'own.bam');
    writeFileSync(own, 'mine');
    const container = await setting.run(onHost(`ln ${own} out.bam`));
    expect(await setting.readOutput(container)).toEqual({ 'out.bam': 'mine' });
    writeFileSync(own, 'changed later');
    expect(await setting.readOutput(container)).toEqual({ 'out.bam': 'mine' });
    expect(readFileSync(own, 'utf8')).toBe('changed later');
  });

  test('FIFOs and sockets are left out with a warning, and nothing hangs', async () => {
    const container = await run('mkfifo pipe; echo x > f');
    expect(await setting.readOutput(container)).toEqual({ f: 'x\n' });
    expect(container.runtime_status.warning).toBe(
      '"pipe" is neither file, directory nor symlink: it is left out of the output',
    );
    expect((await setting.readLog(container))['crunch-run.txt']).toContain('warning: "pipe" is neither');
  });

  test('of a command that failed are kept too', async () => {
    const container = await run('echo partial > f; exit 3');
    expect(container).toMatchObject({ state: 'Complete', exit_code: 3 });
    expect(await setting.readOutput(container)).toEqual({ f: 'partial\n' });
  });

  test('some thousands of them', async () => {
    const container = await run('i=0; while [ $i -lt 3000 ]; do echo $i > f$i; i=$((i+1)); done');
    expect(Object.keys(await setting.readOutput(container))).toHaveLength(3000);
  });
});

describe('symlinks', () => {
  const followed: [string, string, Record<string, string>][] = [
    ['to a file beside', 'echo x > f; ln -s f l', { f: 'x\n', l: 'x\n' }],
    ['to a file by its path in the container', 'echo x > f; ln -s /out/f l', { f: 'x\n', l: 'x\n' }],
    ['to a directory', 'mkdir d; echo x > d/f; ln -s d l', { 'd/f': 'x\n', 'l/f': 'x\n' }],
    [
      'through a directory that is one',
      'mkdir d; echo x > d/f; ln -s d l; ln -s l/f m',
      { 'd/f': 'x\n', 'l/f': 'x\n', m: 'x\n' },
    ],
    ['upwards', 'mkdir d; echo x > f; ln -s ../f d/l', { f: 'x\n', 'd/l': 'x\n' }],
    ['to a symlink', 'echo x > f; ln -s f l; ln -s l m', { f: 'x\n', l: 'x\n', m: 'x\n' }],
    ['into a mounted collection', 'ln -s /keep/in/a.txt l', { l: 'A' }],
    ['to a whole mounted collection', 'ln -s /keep/in l', { 'l/a.txt': 'A', 'l/sub/b.txt': 'B' }],
    ['to a literal', 'ln -s /lit l', { l: 'L' }],
  ];
  test.each(followed)('%s', async (_name, script, expected) => {
    expect(await output(toContainerLinks(script))).toEqual(expected);
  });

  test('into a mounted collection cost nothing: the same blocks', async () => {
    const container = await run(toContainerLinks('ln -s /keep/in/sub/b.txt l'));
    const { files } = await setting.deps.collections.byPortableDataHash(container.output ?? ('' as never));
    expect(files.get('l')?.segments).toEqual(reads.files.get('sub/b.txt')?.segments);
  });

  const refused: [string, string, RegExp][] = [
    [
      'to the host',
      'ln -s /etc/passwd l',
      /"l" points to "\/etc\/passwd", which is neither in the output nor in a mounted/,
    ],
    ['out of the output by ..', 'ln -s ../../../../../etc/passwd l', /which is neither in the output nor in a mounted/],
    ['through a link out of it', 'ln -s / r; ln -s r/etc/passwd l', /which is neither in the output nor in a mounted/],
    ['to tmp', 'echo x > /other/f; ln -s /other/f l', /"l" points to "\/other\/f", which is neither/],
    ['to nothing', 'ln -s none l', /"l" points to "none", which does not exist/],
    ['to nothing in a collection', 'ln -s /keep/in/none l', /which does not exist/],
    ['to itself', 'ln -s l l', /"l" points to "l", which loops/],
    ['to the directory they lie in', 'mkdir d; ln -s . d/l', /"d\/l" points to a directory that it lies in/],
    ['that outgrow all bounds', bomb(), /brings in more than 250000 files again/],
  ];
  test.each(refused)('%s are refused, naming the path', async (_name, script, message) => {
    const container = await run(toContainerLinks(script));
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null, output: null });
    expect(container.runtime_status.error).toMatch(message);
    expect(container.runtime_status.errorDetail).toMatch(/copy the file into the output/);
  });

  test('to secrets are refused', async () => {
    const secretMounts = async (): Promise<Mounts> => ({ '/key': { kind: 'text', content: 'hunter2' } });
    const script = toContainerLinks('ln -s /key l');
    const container = await setting.run(withImage(['sh', '-c', script]), { deps: { secretMounts } });
    expect(container.runtime_status.error).toMatch(/"l" points to "\/key", which is neither/);
  });

  test('on the host, by the real paths that a command sees', async () => {
    const input = { kind: 'collection', portable_data_hash: reads.portableDataHash } as const;
    const mounts: Mounts = { '/hallmark.host/out': tmp, '/hallmark.host/in/x': input };
    const script =
      'ln -s $(realpath ../in/x/a.txt) real; ln -s $PWD/../in/x/sub via; ln -s "$(readlink -f ../in/x)" all';
    const container = await setting.run(onHost(script, { mounts }));
    expect(container.runtime_status.error).toBeUndefined();
    expect(await setting.readOutput(container)).toEqual({
      real: 'A',
      'via/b.txt': 'B',
      'all/a.txt': 'A',
      'all/sub/b.txt': 'B',
    });
  });

  test('an input that the command replaced by a file of its own is its own', async () => {
    const input = { kind: 'collection', portable_data_hash: reads.portableDataHash, path: 'a.txt' } as const;
    const mounts: Mounts = { '/hallmark.host/out': tmp, '/hallmark.host/out/a.txt': input };
    const container = await setting.run(onHost('rm a.txt; echo new > a.txt', { mounts }));
    expect(await setting.readOutput(container)).toEqual({ 'a.txt': 'new\n' });
  });
});

describe('output_glob', () => {
  test('chooses files; what it leaves out is not looked at', async () => {
    const script = toContainerLinks(
      'mkdir d e; echo 1 > a.txt; echo 2 > d/b.txt; echo 3 > d/c.bam; ln -s /etc/passwd bad; ln -s e/none worse',
    );
    expect(await output(script, { output_glob: ['*.txt', 'd/*.bam'] })).toEqual({ 'a.txt': '1\n', 'd/c.bam': '3\n' });
  });

  test('keeps empty directories that it names or that lie in those it takes whole', async () => {
    const container = await run('mkdir -p a/b/c d/e f', { output_glob: ['a', 'a/**', 'f'] });
    const { directories } = await setting.deps.collections.byPortableDataHash(container.output ?? ('' as never));
    expect([...directories].filter((path) => !/^a(\/b)?$/.test(path))).toEqual(['a/b/c', 'f']);
  });
});

test('a directory that is swapped for a symlink while it is collected gives nothing of the host', async () => {
  const secret = join(setting.directory, 'host-secret');
  mkdirSync(secret);
  writeFileSync(join(secret, 'f0'), 'HOST');
  const script = 'mkdir x; i=0; while [ $i -lt 50 ]; do echo mine > x/f$i; i=$((i+1)); done; mv x d; pwd > ../where';
  const swapping = swapOften(() => join(setting.deps.workDir, 'scratch'), secret);
  try {
    for (let round = 0; round < 3; round += 1) {
      const container = await setting.run(onHost(script));
      expect(Object.values(await setting.readOutput(container))).not.toContain('HOST');
    }
  } finally {
    swapping.kill();
  }
  expect(readFileSync(join(secret, 'f0'), 'utf8')).toBe('HOST');
  expect(existsSync(secret)).toBe(true);
});

/** A process that swaps every directory `d` below the scratch directory for a symlink and back, as fast as it can. */
function swapOften(scratch: () => string, secret: string) {
  const script = `while :; do for d in "$0"/*/*/out/d; do mv "$d" "$d.x" && ln -s "$1" "$d" && rm "$d" && mv "$d.x" "$d"; done; done`;
  return spawn('sh', ['-c', script, scratch(), secret], { stdio: 'ignore' });
}

/** The fake executor puts host paths into commands, so a link's target is put together from pieces that it does not know. */
function toContainerLinks(script: string): string {
  return script
    .replace(
      /ln -s (\/(?:out|keep|lit|other|key)[^ ;]*)/g,
      (_all, target: string) => `ln -s "/$(printf ${target.slice(1)})"`,
    )
    .replace(/"\/\$\(printf (\w)(\w+)/g, '"/$(printf $1""$2');
}

/** Thirty directories, each with two links to the next: two to the thirtieth files. */
function bomb(): string {
  return 'mkdir d0; echo x > d0/f; i=1; while [ $i -lt 30 ]; do mkdir d$i; ln -s ../d$((i-1)) d$i/a; ln -s ../d$((i-1)) d$i/b; i=$((i+1)); done';
}
