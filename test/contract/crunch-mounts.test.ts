import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Container, Mounts } from '../../src/api/records.ts';
import type { Collection } from '../../src/keep/collection.ts';
import { createFakeExecutor } from '../fakes/executor.ts';
import { createSetting, onHost, type Setting, withImage } from './crunch-setting.ts';

let setting: Setting;
let reads: Collection;
beforeEach(async () => {
  setting = await createSetting();
  reads = await setting.store({ 'a.txt': 'A', 'sub/b.txt': 'B', 'sub/deep/c.txt': 'C' });
});
afterEach(() => setting.close());

const tmp = { kind: 'tmp', capacity: 1_000_000 } as const;

/** The same case with a file system of its own and on the host. */
interface Side {
  readonly root: string;
  run(script: string, mounts: Mounts, more?: Partial<Container>): Promise<Container>;
}

const sides: [string, Side][] = [
  [
    'in a container',
    {
      root: '',
      run: (script, mounts, more) =>
        setting.run(withImage(['sh', '-c', script], { mounts: { '/out': tmp, ...mounts }, ...more })),
    },
  ],
  [
    'on the host',
    {
      root: '/hallmark.host',
      run: (script, mounts, more) =>
        setting.run(onHost(script, { mounts: { '/hallmark.host/out': tmp, ...mounts }, ...more })),
    },
  ],
];

const keep = (collection: Collection, path?: string, more = {}) =>
  ({ kind: 'collection', portable_data_hash: collection.portableDataHash, ...(path && { path }), ...more }) as const;

async function stdoutOf(container: Container): Promise<string> {
  const text = (await setting.readLog(container))['stdout.txt'] ?? '';
  return text.replace(/^\S+ /gm, '');
}

describe.each(sides)('mounts %s', (_name, { root, run }) => {
  test('a collection, a directory of it, a file of it', async () => {
    const mounts = {
      [`${root}/keep/all`]: keep(reads),
      [`${root}/keep/sub`]: keep(reads, '/sub'),
      [`${root}/keep/file`]: keep(reads, 'sub/b.txt'),
    };
    const script = `cat ${root}/keep/all/a.txt ${root}/keep/sub/b.txt ${root}/keep/sub/deep/c.txt ${root}/keep/file`;
    expect(await stdoutOf(await run(script, mounts))).toBe('ABCB\n');
  });

  test('by uuid, as the record is now', async () => {
    const { items } = await setting.api.list('collections', {});
    const { uuid } = items[0] ?? {};
    const container = await run(`cat ${root}/in/a.txt`, {
      [`${root}/in`]: { kind: 'collection', ...(uuid && { uuid }) },
    });
    expect(await stdoutOf(container)).toBe('A\n');
  });

  test('text and json', async () => {
    const mounts: Mounts = {
      [`${root}/lit/t`]: { kind: 'text', content: 'some text' },
      [`${root}/lit/j`]: { kind: 'json', content: { a: [1, null] } },
    };
    expect(await stdoutOf(await run(`cat ${root}/lit/t ${root}/lit/j`, mounts))).toBe('some text{"a":[1,null]}\n');
  });

  test('a writable collection is a copy', async () => {
    const mounts = { [`${root}/w`]: keep(reads, undefined, { writable: true }) };
    const container = await run(`echo changed > ${root}/w/a.txt; rm ${root}/w/sub/b.txt; cat ${root}/w/a.txt`, mounts);
    expect(await stdoutOf(container)).toBe('changed\n');
    const again = await run(`cat ${root}/r/a.txt ${root}/r/sub/b.txt`, { [`${root}/r`]: keep(reads) });
    expect(await stdoutOf(again)).toBe('AB\n');
  });

  test('tmp is empty, writable and no output', async () => {
    const container = await run(`ls ${root}/scratch; echo x > ${root}/scratch/f`, { [`${root}/scratch`]: tmp });
    expect(container.exit_code).toBe(0);
    expect(await setting.readOutput(container)).toEqual({});
  });

  test('mounts in mounts: a text and a collection inside a read-only collection', async () => {
    const mounts: Mounts = {
      [`${root}/in`]: keep(reads),
      [`${root}/in/sub/new.txt`]: { kind: 'text', content: 'N' },
      [`${root}/in/other`]: keep(reads, 'sub'),
    };
    const container = await run(
      `cat ${root}/in/a.txt ${root}/in/sub/b.txt ${root}/in/sub/new.txt ${root}/in/other/b.txt`,
      mounts,
    );
    expect(await stdoutOf(container)).toBe('ABNB\n');
  });

  test('below the output: part of it by reference, unless excluded', async () => {
    const mounts: Mounts = {
      [`${root}/out/data`]: keep(reads, 'sub'),
      [`${root}/out/one.txt`]: keep(reads, 'a.txt'),
      [`${root}/out/hidden`]: keep(reads, undefined, { exclude_from_output: true }),
      [`${root}/out/made/here.txt`]: { kind: 'text', content: 'T' },
      [`${root}/out/mine`]: keep(reads, 'sub', { writable: true }),
    };
    const container = await run(`cat ${root}/out/data/b.txt; echo more >> ${root}/out/mine/b.txt`, mounts);
    expect(container.runtime_status.error).toBeUndefined();
    expect(await stdoutOf(container)).toBe('B\n');
    expect(await setting.readOutput(container)).toEqual({
      'data/b.txt': 'B',
      'data/deep/c.txt': 'C',
      'one.txt': 'A',
      'made/here.txt': 'T',
      'mine/b.txt': 'Bmore\n',
      'mine/deep/c.txt': 'C',
    });
  });

  test('stdin from a collection, a text, a file of another mount', async () => {
    const collection = await run('cat', { stdin: keep(reads, 'sub/b.txt') });
    const text = await run('cat', { stdin: { kind: 'text', content: 'typed' } });
    const mounted = { [`${root}/in`]: keep(reads), stdin: { kind: 'file', path: `${root}/in/a.txt` } } as const;
    const file = await run('cat', mounted);
    expect(await Promise.all([collection, text, file].map(stdoutOf))).toEqual(['B\n', 'typed\n', 'A\n']);
  });

  test('stdout and stderr into files, byte for byte', async () => {
    const mounts: Mounts = {
      stdout: { kind: 'file', path: `${root}/out/deep/o.bin` },
      stderr: { kind: 'file', path: `${root}/out/e.txt` },
    };
    const container = await run(`printf 'no newline\\001'; printf 'oops' >&2`, mounts);
    expect(await setting.readOutput(container)).toEqual({ 'deep/o.bin': 'no newline\u0001', 'e.txt': 'oops' });
    expect(Object.keys(await setting.readLog(container))).not.toContain('stdout.txt');
  });

  test('stdout and stderr into one file: neither overwrites the other', async () => {
    const both = { kind: 'file', path: `${root}/out/log` } as const;
    const container = await run('echo one; echo two >&2; echo three', { stdout: both, stderr: both });
    const { log } = await setting.readOutput(container);
    expect(log?.trim().split('\n').sort()).toEqual(['one', 'three', 'two']);
  });

  test('secrets: only the owner reads them, no output and no log holds them, nothing stays', async () => {
    const secretMounts = async (): Promise<Mounts> => ({
      [`${root}/out/token`]: { kind: 'text', content: 'hunter2' },
      [`${root}/etc/key`]: { kind: 'text', content: 'hunter3' },
    });
    const script = `cat ${root}/out/token ${root}/etc/key | tr h H; stat -L -c %a ${root}/etc/key`;
    const work = root === '' ? withImage(['sh', '-c', script]) : onHost(script);
    const secretDir = join(setting.directory, 'memory');
    const container = await setting.run(work, { deps: { secretMounts, secretDir } });
    expect(await stdoutOf(container)).toBe('Hunter2Hunter3400\n');
    expect(await setting.readOutput(container)).toEqual({});
    expect(JSON.stringify(await setting.readLog(container))).not.toContain('hunter');
    expect(readdirSync(secretDir).flatMap((owner) => readdirSync(join(secretDir, owner)))).toEqual([]);
  });

  const refused: [string, Mounts, RegExp][] = [
    ['a relative target', { in: tmp }, /mount "in": expected an absolute path/],
    [
      'a file mount',
      { [`${root}/f`]: { kind: 'file', path: '/x' } },
      /kind "file" is for stdin, stdout and stderr only/,
    ],
    [
      'stdout outside the output',
      { stdout: { kind: 'file', path: `${root}/x` } },
      /stdout: expected kind "file" with a path under/,
    ],
    [
      'stdin from nowhere',
      { stdin: { kind: 'file', path: `${root}/no/a.txt` } },
      /stdin: expected a file inside another/,
    ],
    [
      'stdin from a directory',
      { [`${root}/d`]: tmp, stdin: { kind: 'file', path: `${root}/d` } },
      /stdin: expected a file inside another mount, got/,
    ],
    ['stdin without a file', { stdin: tmp }, /stdin: expected a file, got kind "tmp"/],
    ['two names of one path', { [`${root}/a`]: tmp, [`${root}/b/../a`]: tmp }, /two mounts have the path/],
    [
      'a moving commit',
      { [`${root}/g`]: { kind: 'git_tree', url: 'https://h/r', commit: 'main' } },
      /expected a full commit hash, got "main"/,
    ],
  ];
  test.each(refused)('%s is refused', async (_case, mounts, message) => {
    const container = await run('true', mounts);
    expect(container).toMatchObject({ state: 'Cancelled', runtime_status: { retryable: false } });
    expect(container.runtime_status.error).toMatch(message);
  });

  test.each([['collection'], ['git_tree']] as const)('stdout into a %s that is read-only is refused', async (kind) => {
    const git = { kind: 'git_tree', url: 'https://h/r', commit: '0'.repeat(40) } as const;
    const container = await run('true', {
      [`${root}/out/r`]: kind === 'git_tree' ? git : keep(reads),
      stdout: { kind: 'file', path: `${root}/out/r/a.txt` },
    });
    expect(container.runtime_status.error).toMatch(/^stdout: ".*\/out\/r\/a.txt" lies in a mount that is read-only$/);
  });

  test('a path that the collection lacks is not tried again', async () => {
    const { runtime_status } = await run('true', { [`${root}/in`]: keep(reads, 'nope') });
    expect(runtime_status).toMatchObject({ retryable: false, error: expect.stringContaining('has no "nope"') });
  });

  test('a path that leaves the collection is refused', async () => {
    const container = await run('true', { [`${root}/in`]: keep(reads, '../../etc/passwd') });
    expect(container.runtime_status.error).toMatch(/expected a normal path in a collection, got "..\/..\/etc\/passwd"/);
  });
});

describe('git trees', () => {
  let url: string;
  let commit: string;
  beforeEach(() => {
    const repo = join(setting.directory, 'repo');
    const git = (...args: string[]): string => execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8' }).trim();
    mkdirSync(join(repo, 'docs'), { recursive: true });
    writeFileSync(join(repo, 'docs/one.md'), 'one');
    symlinkSync('/etc', join(repo, 'outside'));
    git('init', '--quiet');
    git('add', '.');
    git('-c', 'user.name=n', '-c', 'user.email=e@x', 'commit', '--quiet', '-m', 'm');
    url = `file://${repo}`;
    commit = git('rev-parse', 'HEAD');
  });

  test('the files of the commit, without its history', async () => {
    const mount = { kind: 'git_tree', url, commit } as const;
    const container = await setting.run(
      onHost('ls -A in; cat in/docs/one.md', { cwd: '/hallmark.host', mounts: { '/hallmark.host/in': mount } }),
    );
    expect(await stdoutOf(container)).toBe('docs\noutside\none\n');
  });

  test('a path of the commit that is a symlink to the host is refused', async () => {
    const mount = { kind: 'git_tree', url, commit, path: 'outside' } as const;
    const container = await setting.run(withImage(['true'], { mounts: { '/out': tmp, '/in': mount } }));
    expect(container.runtime_status.error).toMatch(
      /git_tree: expected a path in the tree of the commit, got "outside"/,
    );
  });

  test('stdin that is a symlink to the host is refused', async () => {
    const mounts: Mounts = {
      '/out': tmp,
      '/in': { kind: 'git_tree', url, commit },
      stdin: { kind: 'file', path: '/in/outside/passwd' },
    };
    const container = await setting.run(withImage(['cat'], { mounts }));
    expect(container.runtime_status.error).toMatch(/^stdin: expected a file inside another mount/);
  });

  test('a mount below a symlink of the commit does not write to the host', async () => {
    const mounts: Mounts = {
      '/out': tmp,
      '/in': { kind: 'git_tree', url, commit },
      '/in/outside/hallmark-test': { kind: 'text', content: 'x' },
    };
    const container = await setting.run(withImage(['true'], { mounts }));
    expect(container.runtime_status.error).toMatch(/lies below something that is no directory/);
  });

  test('a commit that is not there', async () => {
    const mount = { kind: 'git_tree', url, commit: '0'.repeat(40) } as const;
    const container = await setting.run(withImage(['true'], { mounts: { '/out': tmp, '/in': mount } }));
    expect(container.runtime_status.error).toMatch(/^git could not read file:\/\//);
  });
});

describe('a host container', () => {
  test('its paths are real in command, environment, cwd and literals; it sees no other environment', async () => {
    const work = onHost('', {
      command: [
        'sh',
        '-c',
        'pwd; echo $HOME; cat "$0"/lit; test -d "$TMPDIR" && echo tmp; env | cut -d= -f1 | sort | tr "\\n" " "',
        '/hallmark.host',
      ],
      environment: { HOME: '/hallmark.host/out', TMPDIR: '/hallmark.host/tmp' },
      mounts: {
        '/hallmark.host/out': tmp,
        '/hallmark.host/tmp': tmp,
        '/hallmark.host/lit': { kind: 'text', content: 'at /hallmark.host/out\n' },
      },
    });
    const [cwd, home, literal, tmpdir, names] = (await stdoutOf(await setting.run(work))).split('\n');
    expect(cwd).toMatch(/\/work\/scratch\/.*\/out$/);
    expect([home, literal, tmpdir]).toEqual([cwd, `at ${cwd}`, 'tmp']);
    expect(names?.trim().split(' ')).toEqual(expect.arrayContaining(['HOME', 'PATH', 'TMPDIR']));
    expect(names).not.toContain('VITEST');
  });

  test('a path outside its prefix is refused', async () => {
    const container = await setting.run(onHost('true', { mounts: { '/etc/x': tmp } }));
    expect(container.runtime_status.error).toMatch(/expected a path under \/hallmark\.host, got "\/etc\/x"/);
  });

  test('an output path outside its prefix is refused', async () => {
    const container = await setting.run(onHost('true', { output_path: '/out' }));
    expect(container.runtime_status.error).toMatch(/output_path: expected a path under \/hallmark\.host/);
  });
});

describe('a container with an image', () => {
  test('binds come parents first, and inputs are not copied', async () => {
    const executor = createFakeExecutor();
    const mounts: Mounts = { '/out': tmp, '/out/a/b': keep(reads, 'sub'), '/keep/file': keep(reads, 'a.txt') };
    await setting.run(withImage(['true'], { mounts }), { executor });
    const { binds = [] } = executor.specs[0] ?? {};
    expect(binds.map(({ target, readOnly }) => [target, readOnly])).toEqual([
      ['/out', false],
      ['/keep/file', true],
      ['/out/a/b', true],
    ]);
    for (const { source } of binds.slice(1)) expect(source).toContain(join(setting.directory, 'keep'));
  });

  test('what is to be written to can be, also inside a read-only collection', async () => {
    const executor = createFakeExecutor();
    const copy = keep(reads, 'sub', { writable: true });
    const mounts: Mounts = { '/out': tmp, '/in': keep(reads), '/in/t': tmp, '/in/sub/w': copy, '/in/sub/w/t': tmp };
    await setting.run(withImage(['true'], { mounts }), { executor });
    const { binds = [] } = executor.specs[0] ?? {};
    expect(binds.map(({ target, readOnly }) => [target, readOnly])).toEqual([
      ['/out', false],
      ['/in', true],
      ['/in/t', false],
      ['/in/sub/w', false],
    ]);
  });

  test('the image gives the entrypoint, what the record says comes after it', async () => {
    const image = {
      executor: 'sandbox',
      reference: 'x',
      environment: [],
      workingDir: '/',
      entrypoint: ['sh', '-c', 'echo "$@"', 'e'],
    } as const;
    const executor = { ...createFakeExecutor(), loadImage: async () => image };
    expect(await stdoutOf(await setting.run(withImage(['a', 'b']), { executor }))).toBe('a b\n');
  });
});
