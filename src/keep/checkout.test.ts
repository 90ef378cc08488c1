import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { checkout, checkoutCached } from './checkout.ts';
import { createCollectionWriter } from './collection-writer.ts';
import { type DiskBlockStore, openDiskBlockStore } from './disk/disk-store.ts';
import { maxBlockBytes } from './port.ts';
import { removeTree } from './remove-tree.ts';
import { combine } from './tree.ts';

let home: string;
let store: DiskBlockStore;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hallmark-checkout-'));
  store = await openDiskBlockStore(join(home, 'keep'), { clock: systemClock() });
});
afterEach(() => removeTree(home));

async function make(files: Readonly<Record<string, string>>, directories: readonly string[] = []) {
  const writer = createCollectionWriter(store);
  for (const [path, text] of Object.entries(files)) await writer.addBytes(path, text);
  for (const path of directories) writer.addDirectory(path);
  return writer.finish();
}

describe('checking a collection out', () => {
  it('links files of any name to the blocks, read-only', async () => {
    const names = ['plain', 'with space', 'new\nline', '-rf', '$(id)', 'é', '\u{1f9ec}/dot./..x', 'a\\b:c', '*'];
    const collection = await make(Object.fromEntries(names.map((name) => [name, `text of ${name}`])), ['void/void']);
    const directory = join(home, 'tree');
    await checkout(store, collection, directory);
    for (const name of names) {
      expect(await readFile(join(directory, name), 'utf8')).toBe(`text of ${name}`);
      const { mode, ino } = await stat(join(directory, name));
      expect(mode & 0o777).toBe(0o555);
      const locator = collection.files.get(name)?.segments[0]?.locator;
      expect(ino).toBe((await stat((await store.wholeFile(locator ? [locator] : [])) ?? '')).ino);
    }
    expect(await readdir(join(directory, 'void', 'void'))).toEqual([]);
    expect((await stat(join(directory, 'void'))).mode & 0o777).toBe(0o555);
    expect((await stat(directory)).mode & 0o777).toBe(0o555);
  });

  it('links a file of several blocks that lies whole', async () => {
    const path = join(home, 'big');
    await writeFile(path, Buffer.alloc(maxBlockBytes + 10, 3));
    const { ino } = await stat(path);
    const writer = createCollectionWriter(store);
    await writer.addHostFile('big', path, { adopt: true });
    const directory = await checkoutCached(store, writer.finish());
    expect((await stat(join(directory, 'big'))).ino).toBe(ino);
  });

  it('copies what lies in pieces', async () => {
    const parts = await make({ a: 'one two three' });
    const writer = createCollectionWriter(store);
    const [segment] = parts.files.get('a')?.segments ?? [];
    if (!segment) throw new Error('no segment');
    writer.addSegments('joined', [
      { ...segment, offset: 8, length: 5 },
      { ...segment, offset: 3, length: 5 },
    ]);
    writer.addSegments('empty', []);
    const directory = await checkoutCached(store, writer.finish());
    expect(await readFile(join(directory, 'joined'), 'utf8')).toBe('three two ');
    expect(await readFile(join(directory, 'empty'), 'utf8')).toBe('');
    expect((await stat(join(directory, 'joined'))).mode & 0o777).toBe(0o555);
  });

  it('is done once, also by several at a time', async () => {
    const collection = await make({ 'a/b': 'x', 'a/c': 'y' });
    const directories = await Promise.all([1, 2, 3, 4].map(() => checkoutCached(store, collection)));
    const [directory = ''] = directories;
    expect(new Set(directories).size).toBe(1);
    expect(directory).toBe(join(store.directory, 'trees', collection.portableDataHash));
    const { ino } = await stat(directory);
    await checkoutCached(store, collection);
    expect((await stat(directory)).ino).toBe(ino);
    expect((await readdir(join(store.directory, 'tmp'), { recursive: true })).length).toBe(1);
  });

  it('leaves nothing when a block is missing', async () => {
    const collection = combine([{ source: await make({ a: 'here', b: 'soon gone' }), path: '', target: '' }]);
    const locator = collection.files.get('b')?.segments[0]?.locator;
    await rm((await store.wholeFile(locator ? [locator] : [])) ?? '');
    await expect(checkout(store, collection, join(home, 'tree'))).rejects.toMatchObject({ code: 'keep/block-missing' });
    expect(await readdir(home)).toEqual(['keep']);
  });

  it('says which name the file system refuses', async () => {
    const collection = await make({ [`${'n'.repeat(300)}`]: 'x' });
    await expect(checkout(store, collection, join(home, 'tree'))).rejects.toMatchObject({
      code: 'keep/store-failed',
      message: expect.stringContaining('ENAMETOOLONG'),
    });
  });

  it('removes trees of many files, of odd names and of links, and nothing that they point to', async () => {
    const directory = join(home, 'tree');
    await mkdir(join(directory, 'many'), { recursive: true });
    for (let index = 0; index < 600; index += 1) await writeFile(join(directory, 'many', `f${index}`), '');
    await writeFile(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]), '');
    await writeFile(join(home, 'kept'), 'kept');
    await symlink(home, join(directory, 'link'));
    await removeTree(directory);
    expect((await readdir(home)).sort()).toEqual(['keep', 'kept']);
  });

  it('removes a file that stands where the tree is', async () => {
    const file = join(home, 'tree');
    await writeFile(file, 'x');
    await removeTree(file);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  it('removes read-only trees', async () => {
    const directory = await checkoutCached(store, await make({ 'a/b/c': 'x' }));
    await chmod(directory, 0o000);
    await removeTree(directory);
    await removeTree(directory);
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  });
});
