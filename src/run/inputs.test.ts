import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../test/fakes/job-kit.ts';
import { createRunKit, type Files, type RunKit } from '../../test/fakes/run-kit.ts';
import type { CwlDirectory, CwlFile, CwlValue } from '../cwl/values.ts';
import { createCollectionWriter } from '../keep/collection-writer.ts';
import { readText } from '../keep/file-reader.ts';
import { parseKeepLocation } from '../keep/location.ts';
import { readCollection } from './collections.ts';
import { createInputStore, type InputStore } from './inputs.ts';

let kit: RunKit;
let store: InputStore;
let host: string;
beforeEach(async () => {
  kit = await createRunKit();
  store = createInputStore(kit);
  host = join(kit.folder, 'host');
  await mkdir(host);
});
afterEach(() => kit.close());

async function write(files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(host, path)), { recursive: true });
    await writeFile(join(host, path), text);
  }
}
const uri = (path: string) => pathToFileURL(join(host, path)).href;
const file = (path: string, more: Partial<CwlFile> = {}): CwlFile => ({ class: 'File', location: uri(path), ...more });
const directory = (path: string): CwlDirectory => ({ class: 'Directory', location: uri(path) });

/** Everything in the collection that a stored object lies in: text by path, `undefined` for empty directories. */
async function contentOf(location: string | undefined): Promise<Record<string, string | undefined>> {
  const { portableDataHash } = parseKeepLocation(location ?? '');
  const { files, directories } = await readCollection(kit.api, portableDataHash);
  const texts = [...files].map(async ([path, entry]) => [path, await readText(kit.blocks, entry)] as const);
  const content: Record<string, string | undefined> = Object.fromEntries(await Promise.all(texts));
  for (const path of directories)
    if (!Object.keys(content).some((other) => other.startsWith(`${path}/`))) content[path] = undefined;
  return content;
}
const records = async () => (await kit.api.list('collections', { order: ['created_at'] })).items;

describe('a File', () => {
  it('is in Keep under its name, with its size', async () => {
    await write({ 'in/a.txt': 'hello' });
    const stored = await store.store(file('in/a.txt', { format: 'urn:x' }));
    expect(stored).toMatchObject({ class: 'File', basename: 'a.txt', size: 5, format: 'urn:x' });
    expect(parseKeepLocation(stored.location ?? '').path).toBe('a.txt');
    expect(await contentOf(stored.location)).toEqual({ 'a.txt': 'hello' });
    expect(await records()).toMatchObject([{ name: 'Input a.txt', properties: { type: 'input' } }]);
  });

  it.each([
    '100% sure.txt',
    'a#b.txt',
    'a b  c',
    'a?b&c=d',
    'line\nend',
    'quo\'te"s',
    'ünïcödé 漢',
    '%41.txt',
    'back\\slash',
    ':keep',
  ])('may be called %j', async (name) => {
    await write({ [name]: 'odd' });
    const stored = await store.store(file(name));
    expect(stored.basename).toBe(name);
    expect(await contentOf(stored.location)).toEqual({ [name]: 'odd' });
    const plain = await store.store<CwlFile>({ class: 'File', location: join(host, name) });
    expect(plain.location).toBe(stored.location);
  });

  it('takes the basename that it is given', async () => {
    await write({ 'a.txt': 'x' });
    const stored = await store.store(file('a.txt', { basename: 'other name.txt' }));
    expect(await contentOf(stored.location)).toEqual({ 'other name.txt': 'x' });
  });

  it('may be empty, or a symbolic link', async () => {
    await write({ empty: '', real: 'r' });
    await symlink('real', join(host, 'link'));
    expect(await store.store(file('empty'))).toMatchObject({ size: 0 });
    const stored = await store.store(file('link'));
    expect(await contentOf(stored.location)).toEqual({ link: 'r' });
  });

  it('lies in one collection with its secondaryFiles', async () => {
    await write({ 'x/a.bam': 'bam', 'y/a.bam.bai': 'bai', 'z/dir/inner.txt': 'in' });
    const stored = await store.store(file('x/a.bam', { secondaryFiles: [file('y/a.bam.bai'), directory('z/dir')] }));
    expect(await contentOf(stored.location)).toEqual({ 'a.bam': 'bam', 'a.bam.bai': 'bai', 'dir/inner.txt': 'in' });
    const { portableDataHash } = parseKeepLocation(stored.location ?? '');
    expect(stored.secondaryFiles).toMatchObject([
      { class: 'File', location: `keep:${portableDataHash}/a.bam.bai`, size: 3 },
      { class: 'Directory', location: `keep:${portableDataHash}/dir`, basename: 'dir' },
    ]);
    expect(await records()).toHaveLength(1);
  });

  it('that is in Keep or a literal stays as it is, its secondaryFiles are stored', async () => {
    await write({ 'a.idx': 'i' });
    const keep: CwlFile = { class: 'File', location: `keep:${'0'.repeat(32)}+61/a` };
    const literal: CwlFile = { class: 'File', contents: 'c', basename: 'c.txt' };
    expect(await store.store(keep)).toBe(keep);
    expect(await store.store(literal)).toBe(literal);
    const both = await store.store<CwlFile>({ ...keep, secondaryFiles: [file('a.idx')] });
    expect(both.location).toBe(keep.location);
    expect(both.secondaryFiles?.[0]?.location).toMatch(/^keep:.*\/a\.idx$/);
  });

  it('is stored once, however often and wherever it is named', async () => {
    await write({ 'a.txt': 'x', 'b.txt': 'x' });
    const value = { list: [file('a.txt'), file('a.txt')], record: { one: file('a.txt') }, other: file('b.txt') };
    const stored = await store.storeObject(value as never);
    const { list, record } = stored as unknown as { list: CwlFile[]; record: { one: CwlFile } };
    expect(list[1]?.location).toBe(list[0]?.location);
    expect(record.one.location).toBe(list[0]?.location);
    expect((await records()).map(({ name }) => name).sort()).toEqual(['Input a.txt', 'Input b.txt']);
    await createInputStore(kit).store(file('a.txt'));
    expect(await records()).toHaveLength(2);
  });

  it('of the web is downloaded where that is possible', async () => {
    const remote: CwlFile = { class: 'File', location: 'https://data.example/x/ref%201.fa?token=1' };
    const writer = createCollectionWriter(kit.blocks);
    const downloads = {
      fetch: (url: string) => writer.addBytes('elsewhere', `from ${url}`),
      fetchDated: () => Promise.reject(new Error('no ADD here')),
      exists: async () => true,
    };
    const stored = await createInputStore({ ...kit, downloads }).store(remote);
    expect(await contentOf(stored.location)).toEqual({ 'ref 1.fa': `from ${remote.location}` });
    await expect(store.store(remote)).rejects.toEqual(
      withCode('run/bad-input', /^cannot fetch input https:\/\/data\.example\/x\/ref%201\.fa\?token=1$/),
    );
    const folder: CwlDirectory = { class: 'Directory', location: 'https://data.example/x/' };
    await expect(createInputStore({ ...kit, downloads }).store(folder)).rejects.toEqual(
      withCode('run/bad-input', /expected the path of a Directory, got https:.*: a URL names a file/),
    );
  });
});

describe('a Directory', () => {
  it('is the root of its collection, with all that is in it', async () => {
    await write({ 'd/a.txt': 'a', 'd/sub dir/100%.txt': 'b', 'd/.hidden': 'h' });
    await mkdir(join(host, 'd/empty/inner'), { recursive: true });
    const stored = await store.store(directory('d'));
    expect(stored).toMatchObject({ class: 'Directory', basename: 'd' });
    expect(parseKeepLocation(stored.location ?? '').path).toBe('');
    expect(await contentOf(stored.location)).toEqual({
      'a.txt': 'a',
      'sub dir/100%.txt': 'b',
      '.hidden': 'h',
      'empty/inner': undefined,
    });
  });

  it('may be empty', async () => {
    await mkdir(join(host, 'none'));
    const stored = await store.store({ ...directory('none'), location: `${uri('none')}/` });
    expect(stored.basename).toBe('none');
    expect(await contentOf(stored.location)).toEqual({});
  });

  it('holds what its symbolic links lead to', async () => {
    await write({ 'd/a.txt': 'a', 'outside/b.txt': 'b' });
    await symlink('../outside', join(host, 'd/linked'));
    await symlink('a.txt', join(host, 'd/again'));
    expect(await contentOf((await store.store(directory('d'))).location)).toEqual({
      'a.txt': 'a',
      again: 'a',
      'linked/b.txt': 'b',
    });
  });

  it('literal has its listing stored', async () => {
    await write({ 'a.txt': 'a' });
    const literal: CwlDirectory = { class: 'Directory', basename: 'd', listing: [file('a.txt')] };
    const stored = await store.store(literal);
    expect(stored.location).toBeUndefined();
    expect(stored.listing?.[0]?.location).toMatch(/^keep:/);
    const bare: CwlDirectory = { class: 'Directory', basename: 'd' };
    expect(await store.store(bare)).toBe(bare);
  });

  it('of a wide and deep tree is read whole', async () => {
    const files = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`d/${n % 7}/${n % 3}/${n}`, String(n)]));
    await write(files);
    const content = await contentOf((await store.store(directory('d'))).location);
    expect(Object.keys(content)).toHaveLength(200);
    expect(content['2/1/100']).toBe('100');
  });
});

describe('other values', () => {
  it.each<[CwlValue]>([[null], [3], ['file:///etc/passwd'], [true], [[1, 'a', null]], [{ a: 1, b: ['x'] }]])(
    '%j stays as it is',
    async (value) => {
      expect(await store.store(value)).toEqual(value);
    },
  );
});

describe('an input that cannot be', () => {
  const fails = (value: CwlValue, code: string, message: RegExp) =>
    expect(store.store(value)).rejects.toEqual(withCode(code, message));

  it('found is named', async () => {
    await expect(store.store(file('none.txt') as CwlValue)).rejects.toMatchObject({
      code: 'run/input-missing',
      message: expect.stringMatching(/^cannot read input .*\/host\/none\.txt: ENOENT/),
      hint: 'paths in a job file are relative to that file, those of a default to its document',
    });
    await fails(directory('none'), 'run/input-missing', /host\/none: ENOENT/);
  });

  it('followed: links that lead nowhere or round in a circle', async () => {
    await mkdir(join(host, 'd/sub'), { recursive: true });
    await symlink('nowhere', join(host, 'd/dangling'));
    await symlink('loop', join(host, 'loop'));
    await fails(file('d/dangling'), 'run/input-missing', /d\/dangling: ENOENT/);
    await fails(directory('d'), 'run/input-missing', /d\/dangling: ENOENT/);
    await fails(file('loop'), 'run/input-missing', /loop: ELOOP/);
  });

  it('finished: a directory that contains itself', async () => {
    await mkdir(join(host, 'd/sub'), { recursive: true });
    await symlink('..', join(host, 'd/sub/up'));
    await fails(directory('d'), 'run/bad-input', /^directory .*d\/sub\/up contains itself through a symbolic link$/);
  });

  it('read: a FIFO, alone or in a directory', async () => {
    await mkdir(join(host, 'd'));
    execFileSync('mkfifo', [join(host, 'd/pipe')]);
    await fails(file('d/pipe'), 'run/bad-input', /^expected a File at .*pipe, got neither a file nor a directory$/);
    await fails(directory('d'), 'run/bad-input', /^.*d\/pipe is neither a file nor a directory$/);
  });

  it('what its class says', async () => {
    await write({ 'd/a.txt': 'a' });
    await fails(file('d'), 'run/bad-input', /^expected a File at .*\/d, got a Directory$/);
    await fails(directory('d/a.txt'), 'run/bad-input', /^expected a Directory at .*a\.txt, got a File$/);
  });

  it.each(['', '.', '..', 'a/b', '../x', 'a\0b'])('called %j', async (basename) => {
    await write({ 'a.txt': 'a' });
    await fails(file('a.txt', { basename }), 'run/bad-input', /^expected a plain file name as basename, got "/);
  });

  it('beside another of its name', async () => {
    await write({ 'x/a.txt': '1', 'y/a.txt': '2' });
    await fails(
      file('x/a.txt', { secondaryFiles: [file('y/a.txt')] }),
      'run/bad-input',
      /^secondaryFiles of file:.*x\/a\.txt share a name: a\.txt, a\.txt$/,
    );
  });

  it('put together: host files with secondaryFiles from elsewhere', async () => {
    await write({ 'a.txt': 'a' });
    const literal: CwlFile = { class: 'File', basename: 'a.idx', contents: 'i' };
    await fails(
      file('a.txt', { secondaryFiles: [literal] }),
      'run/bad-input',
      /^secondaryFiles of a host file must be host files too, got a literal$/,
    );
  });

  it('read again after it was put right', async () => {
    await fails(file('late.txt'), 'run/input-missing', /late\.txt/);
    await write({ 'late.txt': 'now' });
    expect(await createInputStore(kit).store(file('late.txt'))).toMatchObject({ size: 3 });
  });
});
