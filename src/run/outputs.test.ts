import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../test/fakes/job-kit.ts';
import { createRunKit, type Files, type RunKit } from '../../test/fakes/run-kit.ts';
import type { CwlDirectory, CwlFile, CwlObject } from '../cwl/values.ts';
import { formatKeepLocation } from '../keep/location.ts';
import { takeNames } from './output-names.ts';
import { type OutputOptions, writeOutputs } from './outputs.ts';

let kit: RunKit;
let outdir: string;
beforeEach(async () => {
  kit = await createRunKit();
  outdir = join(kit.folder, 'out');
});
afterEach(() => kit.close());

const write = (outputs: object, more: Partial<OutputOptions> = {}) =>
  writeOutputs(outputs as CwlObject, { api: kit.api, blocks: kit.blocks, outdir, computeChecksum: true, ...more });
const sha1 = (text: string) => `sha1$${createHash('sha1').update(text).digest('hex')}`;
const local = (name: string) => ({
  location: pathToFileURL(join(outdir, name)).href,
  path: join(outdir, name),
  basename: name.slice(name.lastIndexOf('/') + 1),
});

/** Locates files of one new collection. */
async function inKeep(files: Files) {
  const { portable_data_hash } = await kit.collection(files);
  return {
    file: (path: string, more: Partial<CwlFile> = {}): CwlFile => ({
      class: 'File',
      location: formatKeepLocation(portable_data_hash, path),
      ...more,
    }),
    directory: (path = '', more: Partial<CwlDirectory> = {}): CwlDirectory => ({
      class: 'Directory',
      location: formatKeepLocation(portable_data_hash, path),
      ...more,
    }),
  };
}

/** Text by path of all that is in the folder. */
async function written(): Promise<Record<string, string>> {
  const entries = await readdir(outdir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = files.map(async (path) => [path.slice(outdir.length + 1), await readFile(path, 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

describe('a File', () => {
  it('goes to the folder, with place, size and checksum in the output object', async () => {
    const { file } = await inKeep({ 'sub/a.txt': 'hello' });
    const outputs = await write({
      out: file('sub/a.txt', { basename: 'a.txt', nameroot: 'a', nameext: '.txt', format: 'urn:x' }),
      n: 3,
    });
    expect(outputs).toEqual({
      out: { class: 'File', ...local('a.txt'), size: 5, checksum: sha1('hello'), format: 'urn:x' },
      n: 3,
    });
    expect(await written()).toEqual({ 'a.txt': 'hello' });
  });

  it('has no checksum where none is wanted', async () => {
    const { file } = await inKeep({ 'a.txt': 'hello' });
    const outputs = await write({ out: file('a.txt') }, { computeChecksum: false });
    expect(outputs.out).toEqual({ class: 'File', ...local('a.txt'), size: 5 });
  });

  it('may be empty', async () => {
    const { file } = await inKeep({ 'a.txt': '' });
    expect((await write({ out: file('a.txt') })).out).toMatchObject({ size: 0, checksum: sha1('') });
    expect(await written()).toEqual({ 'a.txt': '' });
  });

  it('may be a literal', async () => {
    const outputs = await write({
      out: { class: 'File', basename: 'l.txt', contents: 'lit' },
      bare: { class: 'File', contents: '' },
    });
    expect(outputs.out).toEqual({ class: 'File', ...local('l.txt'), size: 3, checksum: sha1('lit') });
    expect(await written()).toEqual({ 'l.txt': 'lit', output: '' });
  });

  it('keeps the contents that were read from it', async () => {
    const { file } = await inKeep({ 'a.txt': 'hello' });
    expect((await write({ out: file('a.txt', { contents: 'hello' }) })).out).toMatchObject({ contents: 'hello' });
  });

  it.each(['100% sure.txt', 'a#b', 'a b', 'line\nend', 'ünïcödé', '%41'])('may be called %j', async (name) => {
    const { file } = await inKeep({ [name]: 'odd' });
    expect((await write({ out: file(name) })).out).toMatchObject(local(name));
    expect(await written()).toEqual({ [name]: 'odd' });
  });

  it('of several blocks is whole', async () => {
    const text = Array.from({ length: 5000 }, (_, line) => `line ${line}`).join('\n');
    const { file } = await inKeep({ 'a.txt': text });
    expect((await write({ out: file('a.txt') })).out).toMatchObject({ size: text.length, checksum: sha1(text) });
    expect(await written()).toEqual({ 'a.txt': text });
  });

  it('that is named twice is written once', async () => {
    const { file } = await inKeep({ 'a.txt': 'x' });
    const { one, list } = (await write({ one: file('a.txt'), list: [file('a.txt')] })) as never as {
      one: object;
      list: object[];
    };
    expect(list).toEqual([one]);
    expect(await written()).toEqual({ 'a.txt': 'x' });
  });

  it('replaces what an earlier run left, and writes through no link', async () => {
    await mkdir(outdir);
    await writeFile(join(kit.folder, 'precious'), 'precious');
    await symlink(join(kit.folder, 'precious'), join(outdir, 'a.txt'));
    await symlink(join(kit.folder, 'precious'), join(outdir, 'l.txt'));
    await writeFile(join(outdir, 'b.txt'), 'a longer text than before');
    const { file } = await inKeep({ 'a.txt': 'a', 'b.txt': 'b' });
    await write({ a: file('a.txt'), b: file('b.txt'), l: { class: 'File', basename: 'l.txt', contents: 'l' } });
    expect(await written()).toEqual({ 'a.txt': 'a', 'b.txt': 'b', 'l.txt': 'l' });
    expect(await readFile(join(kit.folder, 'precious'), 'utf8')).toBe('precious');
  });
});

describe('outputs of one name', () => {
  it('get numbers', async () => {
    const [one, two, three] = [
      await inKeep({ 'a.tar.gz': '1' }),
      await inKeep({ 'a.tar.gz': '2' }),
      await inKeep({ 'a.tar.gz': '3' }),
    ];
    await write({ x: [one.file('a.tar.gz'), two.file('a.tar.gz')], y: three.file('a.tar.gz') });
    expect(await written()).toEqual({ 'a.tar.gz': '1', 'a.tar_2.gz': '2', 'a.tar_3.gz': '3' });
  });

  it('keep their secondaryFiles beside them', async () => {
    const [one, two] = [
      await inKeep({ 'a.bam': '1', 'a.bam.bai': 'i1' }),
      await inKeep({ 'a.bam': '2', 'a.bam.bai': 'i2' }),
    ];
    const bam = ({ file }: typeof one) => file('a.bam', { secondaryFiles: [file('a.bam.bai')] });
    const outputs = await write({ x: [bam(one), bam(two)] });
    expect(await written()).toEqual({ 'a.bam': '1', 'a.bam.bai': 'i1', 'a_2.bam': '2', 'a_2.bam.bai': 'i2' });
    expect(outputs.x).toMatchObject([
      { basename: 'a.bam', secondaryFiles: [{ basename: 'a.bam.bai', size: 2, checksum: sha1('i1') }] },
      { basename: 'a_2.bam', secondaryFiles: [local('a_2.bam.bai')] },
    ]);
  });

  it('and content are one file, whatever else is said of them', async () => {
    const { file, directory } = await inKeep({ 'a.bam': '1', 'a.bam.bai': 'i', 'd/x': 'x' });
    const outputs = await write({
      index: file('a.bam.bai'),
      bam: file('a.bam', { secondaryFiles: [file('a.bam.bai')] }),
      typed: file('a.bam', { format: 'urn:bam' }),
      read: [file('a.bam', { contents: '1' }), directory('d'), directory('d')],
      one: { class: 'File', basename: 'l', contents: '1' },
      two: { class: 'File', basename: 'l', contents: '2' },
    });
    const inFolder = { 'a.bam': '1', 'a.bam.bai': 'i', 'd/x': 'x', l: '1', l_2: '2' };
    expect(await written()).toEqual(inFolder);
    expect(outputs).toMatchObject({
      index: local('a.bam.bai'),
      bam: { ...local('a.bam'), secondaryFiles: [local('a.bam.bai')] },
      typed: { ...local('a.bam'), format: 'urn:bam', size: 1 },
      read: [{ ...local('a.bam'), contents: '1' }, local('d'), local('d')],
    });
    expect(outputs.index).not.toHaveProperty('secondaryFiles');
  });

  it.each<[string[], string[], string[]]>([
    [['a.txt'], [], ['a.txt']],
    [['a.txt'], ['a.txt'], ['a_2.txt']],
    [['a.txt'], ['a.txt', 'a_2.txt'], ['a_3.txt']],
    [['.hidden'], ['.hidden'], ['.hidden_2']],
    [['noext'], ['noext'], ['noext_2']],
    [['a.fa', 'a.fa.fai', 'a.dict'], ['a.dict'], ['a_2.fa', 'a_2.fa.fai', 'a_2.dict']],
    [['a.fa', 'other.idx'], ['a.fa'], ['a_2.fa', 'other_2.idx']],
    [['a.fa', 'b', 'b'], [], ['a.fa', 'b', 'b_2']],
  ])('%j where %j are taken: %j', (names, taken, free) => {
    const used = new Map(taken.map((name) => [name, 'other']));
    const wanted = names.map((name, index) => ({ name, content: String(index) }));
    expect(takeNames(wanted, used)).toEqual(free);
    expect([...used.keys()].sort()).toEqual([...taken, ...free].sort());
  });
});

describe('a Directory', () => {
  it('is written with all that Keep has in it', async () => {
    const { directory } = await inKeep({ 'd/a b.txt': 'a', 'd/sub/b.txt': 'b', 'd/empty/': '', other: 'o' });
    const outputs = await write({ out: directory('d') });
    expect(await written()).toEqual({ 'd/a b.txt': 'a', 'd/sub/b.txt': 'b' });
    expect(existsSync(join(outdir, 'd/empty'))).toBe(true);
    expect(outputs.out).toMatchObject({
      class: 'Directory',
      ...local('d'),
      listing: [
        { class: 'File', ...local('d/a b.txt'), size: 1, checksum: sha1('a') },
        { class: 'Directory', ...local('d/empty'), listing: [] },
        { class: 'Directory', ...local('d/sub'), listing: [{ ...local('d/sub/b.txt') }] },
      ],
    });
  });

  it('of many small files reads the block that they share once', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `f${index}`);
    const block = await kit.blocks.write(Buffer.from(names.join('')));
    let position = 0;
    const files = names.map((name) => {
      position += name.length;
      return `${position - name.length}:${name.length}:${name}`;
    });
    const { portable_data_hash: pdh } = await kit.api.create('collections', {
      manifest_text: `. ${block} ${files.join(' ')}\n`,
    });
    let reads = 0;
    const read: typeof kit.blocks.read = (...args) => {
      reads += 1;
      return kit.blocks.read(...args);
    };
    await write(
      { out: { class: 'Directory', location: formatKeepLocation(pdh, '') } },
      { blocks: { ...kit.blocks, read } },
    );
    expect(Object.values(await written()).sort()).toEqual(names.toSorted());
    expect(reads).toBe(1);
  });

  it('may be a whole collection, or a literal', async () => {
    const { directory, file } = await inKeep({ 'a.txt': 'a' });
    await write({
      whole: directory('', { basename: 'w' }),
      literal: {
        class: 'Directory',
        basename: 'l',
        listing: [file('a.txt'), { class: 'File', basename: 'x', contents: 'x' }],
      },
      empty: { class: 'Directory', basename: 'e' },
    });
    expect(await written()).toEqual({ 'w/a.txt': 'a', 'l/a.txt': 'a', 'l/x': 'x' });
    expect(existsSync(join(outdir, 'e'))).toBe(true);
  });
});

describe('nothing is written outside the folder', () => {
  it.each(['../x', '/etc/x', '..', '.', 'a/b', 'a\0b', ''])('by the basename %j', async (basename) => {
    const { file, directory } = await inKeep({ 'a.txt': 'evil' });
    const hostile = [
      { out: file('a.txt', { basename }) },
      { out: directory('', { basename }) },
      { out: { class: 'File', basename, contents: 'evil' } },
      { out: file('a.txt', { secondaryFiles: [file('a.txt', { basename })] }) },
      { out: { class: 'Directory', basename: 'd', listing: [file('a.txt', { basename })] } },
    ];
    for (const outputs of hostile) {
      await expect(write(outputs)).rejects.toEqual(
        withCode('run/outputs-failed', /^expected a plain file name as basename of an output, got "/),
      );
    }
    expect(await written()).toEqual({});
    expect(await readdir(kit.folder)).toEqual(['keep', 'out']);
  });
});

describe('outputs that cannot be written', () => {
  it('are named with the folder that is in the way', async () => {
    await mkdir(join(outdir, 'a.txt/inner'), { recursive: true });
    const { file } = await inKeep({ 'a.txt': 'a' });
    await expect(write({ out: file('a.txt') })).rejects.toMatchObject({
      code: 'run/outputs-failed',
      message: expect.stringMatching(/^cannot write output .*\/out\/a\.txt: .*directory/i),
      hint: 'choose another folder with --outdir',
    });
  });

  it('are named with the file that is in the way', async () => {
    await writeFile(outdir, '');
    await expect(write({})).rejects.toEqual(withCode('run/outputs-failed', /^cannot write output .*\/out: EEXIST/));
  });

  it('are named where Keep lacks them', async () => {
    const { file } = await inKeep({ 'a.txt': 'a' });
    await expect(write({ out: file('none.txt') })).rejects.toEqual(
      withCode('run/outputs-failed', /^output keep:.*\/none\.txt is not in its collection$/),
    );
    await expect(write({ out: { class: 'File', location: `keep:${'0'.repeat(32)}+61/a` } })).rejects.toEqual(
      withCode('run/input-missing', /^no collection on this cluster has the content/),
    );
  });

  it('say which block is missing', async () => {
    const manifest_text = `. ${'a'.repeat(32)}+3 0:3:lost.txt\n`;
    const { portable_data_hash } = await kit.api.create('collections', { manifest_text });
    await expect(write({ out: { class: 'File', location: `keep:${portable_data_hash}/lost.txt` } })).rejects.toEqual(
      withCode('keep/block-missing', /a{32}\+3/),
    );
  });
});
