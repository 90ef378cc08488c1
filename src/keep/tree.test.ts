import { describe, expect, it } from 'vitest';
import { createCollectionWriter } from './collection-writer.ts';
import { openFile, readText } from './file-reader.ts';
import { createMemoryBlockStore } from './memory-store.ts';
import { combine, findEntry, getEntry, getFile, listDirectory, subtree } from './tree.ts';

const store = createMemoryBlockStore();

async function make(files: Readonly<Record<string, string>>, directories: readonly string[] = []) {
  const writer = createCollectionWriter(store);
  for (const [path, text] of Object.entries(files)) await writer.addBytes(path, text);
  for (const path of directories) writer.addDirectory(path);
  return writer.finish();
}

const reads = await make({ 'a.fq': 'A', 'a.fq.idx': 'i', 'lane/1/b.fq': 'B', 'lane/2/c.fq': 'C' }, ['lane/empty']);

describe('look-ups', () => {
  it('finds files and directories, with or without a slash at the end', () => {
    expect(findEntry(reads, 'lane/1/b.fq')).toMatchObject({ kind: 'file', name: 'b.fq', path: 'lane/1/b.fq' });
    expect(findEntry(reads, 'lane/1/')).toEqual({ kind: 'directory', name: '1', path: 'lane/1' });
    expect(findEntry(reads, '')).toEqual({ kind: 'directory', name: '', path: '' });
    expect(findEntry(reads, 'lane/1/b')).toBeUndefined();
  });

  it('lists a directory by name', () => {
    expect(listDirectory(reads, '').map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'file a.fq',
      'file a.fq.idx',
      'directory lane',
    ]);
    expect(listDirectory(reads, 'lane').map(({ path }) => path)).toEqual(['lane/1', 'lane/2', 'lane/empty']);
    expect(listDirectory(reads, 'lane/empty')).toEqual([]);
  });

  it('says what is there when a path is not', () => {
    expect(() => getEntry(reads, 'b.fq')).toThrow(
      expect.objectContaining({
        code: 'keep/no-such-file',
        message: `collection ${reads.portableDataHash} has no "b.fq"`,
        hint: 'did you mean "lane/1/b.fq"?',
      }),
    );
    expect(() => getFile(reads, 'lane')).toThrow('expected a file, got the directory "lane"');
    expect(() => listDirectory(reads, 'a.fq')).toThrow('expected a directory, got the file "a.fq"');
  });
});

describe('parts of collections', () => {
  it('takes a directory to the top', async () => {
    const expected = await make({ '1/b.fq': 'B', '2/c.fq': 'C' }, ['empty']);
    expect(subtree(reads, 'lane').manifestText).toBe(expected.manifestText);
    expect(subtree(reads, 'lane/empty').portableDataHash).toBe('d41d8cd98f00b204e9800998ecf8427e+0');
    expect(subtree(reads, '')).toBe(reads);
  });

  it('takes a file by its name', async () => {
    expect(subtree(reads, 'lane/1/b.fq').manifestText).toBe((await make({ 'b.fq': 'B' })).manifestText);
  });

  it('puts parts of several side by side', async () => {
    const other = await make({ 'x/y.txt': 'Y' });
    const placed = combine([
      { source: reads, path: 'a.fq', target: 'in/reads.fq' },
      { source: reads, path: 'a.fq.idx', target: 'in/reads.fq.idx' },
      { source: other, path: 'x', target: 'in' },
      { source: reads, path: 'lane/empty', target: 'out' },
    ]);
    const expected = await make({ 'in/reads.fq': 'A', 'in/reads.fq.idx': 'i', 'in/y.txt': 'Y' }, ['out']);
    expect(placed.manifestText).toBe(expected.manifestText);
  });

  it('lets the later of two files at one path stay', async () => {
    const placed = combine([
      { source: reads, path: 'a.fq', target: 'a' },
      { source: reads, path: 'lane/1/b.fq', target: 'a' },
    ]);
    expect(await readText(store, getFile(placed, 'a'))).toBe('B');
  });

  it('refuses a file where a directory is, and a path outside', () => {
    const clash = [
      { source: reads, path: 'a.fq', target: 'lane' },
      { source: reads, path: 'lane', target: 'lane' },
    ];
    expect(() => combine(clash)).toThrow(expect.objectContaining({ code: 'keep/bad-path' }));
    const outside = { source: reads, path: 'a.fq', target: '../a' };
    expect(() => combine([outside])).toThrow(expect.objectContaining({ code: 'keep/bad-path' }));
  });
});

describe('reading files', () => {
  it('gives any range of a file of several blocks', async () => {
    const writer = createCollectionWriter(store);
    const file = writer.createFile('f');
    for (const text of ['hello ', 'wide ', 'world']) {
      await file.write(Buffer.from(text));
      await file.startBlock();
    }
    const stored = await file.close();
    expect(stored.segments).toHaveLength(3);
    const read = async (start?: number, end?: number) => {
      const range = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
      return Buffer.concat(await openFile(store, stored, range).toArray()).toString();
    };
    expect(await read()).toBe('hello wide world');
    expect(await read(4, 12)).toBe('o wide w');
    expect(await read(6, 11)).toBe('wide ');
    expect(await read(15)).toBe('d');
    expect(await read(3, 3)).toBe('');
    expect(await read(90)).toBe('');
  });

  it('reports a missing block to the reader', async () => {
    const lost = {
      path: 'f',
      sizeBytes: 1,
      segments: [{ locator: reads.files.get('a.fq')?.segments[0]?.locator, offset: 0, length: 1 }],
    };
    const empty = createMemoryBlockStore();
    await expect(openFile(empty, lost as never).toArray()).rejects.toMatchObject({ code: 'keep/block-missing' });
  });

  it('does not read a large file as text', async () => {
    const file = getFile(await make({ big: 'x'.repeat(100) }), 'big');
    await expect(readText(store, file, 99)).rejects.toMatchObject({
      code: 'keep/block-too-large',
      message: 'expected at most 99 bytes of text, got 100 in "big"',
    });
  });
});
