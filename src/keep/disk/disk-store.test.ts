import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { toLocator } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import { type DiskBlockStore, openDiskBlockStore } from './disk-store.ts';

let home: string;
let store: DiskBlockStore;
const clock = systemClock();

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hallmark-disk-'));
  store = await openDiskBlockStore(join(home, 'keep'), { clock });
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function write(name: string, data: string | Uint8Array): Promise<string> {
  const path = join(home, name);
  await writeFile(path, data);
  return path;
}

const pathOf = (locator: BlockLocator) => join(store.directory, locator.slice(0, 3), locator.slice(0, 32));
/** A file of two blocks, the second small. */
const twoBlocks = () => Buffer.concat([Buffer.alloc(maxBlockBytes, 1), Buffer.from('the end')]);

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('the layout of keepstore', () => {
  it('puts a block where keepstore looks for it, read-only', async () => {
    const locator = await store.write(Buffer.from('hello\n'));
    const path = join(store.directory, 'b19', 'b1946ac92492d2347c6235b4d2611184');
    expect(locator).toBe('b1946ac92492d2347c6235b4d2611184+6');
    expect(await readFile(path, 'utf8')).toBe('hello\n');
    expect((await stat(path)).mode & 0o777).toBe(0o555);
  });

  it('gives each block of a whole file a file of its own when asked', async () => {
    const { locators } = await store.adoptFile(await write('big', twoBlocks()));
    await store.exportBlocks(locators);
    for (const locator of locators) {
      expect(execFileSync('md5sum', [pathOf(locator)], { encoding: 'utf8' }).slice(0, 32)).toBe(locator.slice(0, 32));
    }
  });
});

describe('adopting a file', () => {
  it('makes a small file the block itself', async () => {
    const path = await write('out.txt', 'output');
    const { ino } = await stat(path);
    const stored = await store.adoptFile(path);
    expect(stored).toEqual({ locators: [toLocator(Buffer.from('output'))], sizeBytes: 6 });
    const [locator] = stored.locators as [BlockLocator];
    expect((await stat(pathOf(locator))).ino).toBe(ino);
    expect(await store.wholeFile(stored.locators)).toBe(pathOf(locator));
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('keeps a large file whole and finds each of its blocks', async () => {
    const data = twoBlocks();
    const path = await write('big', data);
    const { ino } = await stat(path);
    const { locators, sizeBytes } = await store.adoptFile(path);
    expect(locators).toEqual([toLocator(data.subarray(0, maxBlockBytes)), toLocator(data.subarray(maxBlockBytes))]);
    expect(sizeBytes).toBe(data.length);
    const whole = await store.wholeFile(locators);
    expect((await stat(whole ?? '')).ino).toBe(ino);
    const again = await openDiskBlockStore(store.directory, { clock });
    for (const locator of locators) {
      expect(await again.has(locator)).toBe(true);
      expect(toLocator(await again.read(locator))).toBe(locator);
    }
  });

  it('drops a file whose content it holds', async () => {
    const first = await store.adoptFile(await write('a', twoBlocks()));
    const second = await store.adoptFile(await write('b', twoBlocks()));
    expect(second).toEqual(first);
    expect((await filesBelow(join(store.directory, 'whole'))).length).toBe(1);
    await expect(stat(join(home, 'b'))).rejects.toThrow('ENOENT');
  });

  it('copies a file that has another name, which stays as it was', async () => {
    const path = await write('out', 'linked');
    await link(path, join(home, 'other'));
    const { locators } = await store.adoptFile(path);
    await appendFile(join(home, 'other'), ' and changed');
    const [locator] = locators as [BlockLocator];
    expect(Buffer.from(await store.read(locator)).toString()).toBe('linked');
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it.skipIf(!existsSync('/dev/shm'))('copies a file of another file system', async () => {
    const elsewhere = await mkdtemp('/dev/shm/hallmark-');
    try {
      await writeFile(join(elsewhere, 'out'), 'from afar');
      const { locators } = await store.adoptFile(join(elsewhere, 'out'));
      expect(Buffer.from(await store.read(locators[0] as BlockLocator)).toString()).toBe('from afar');
      expect(await readdir(elsewhere)).toEqual([]);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('takes an empty file as no blocks', async () => {
    expect(await store.adoptFile(await write('empty', ''))).toEqual({ locators: [], sizeBytes: 0 });
  });

  it('takes only regular files', async () => {
    await symlink('/etc/hostname', join(home, 'link'));
    for (const take of [store.adoptFile, store.storeFile]) {
      await expect(take(join(home, 'link'))).rejects.toMatchObject({
        code: 'keep/store-failed',
        message: 'cannot store a file: expected a regular file, got a symbolic link',
      });
    }
    execFileSync('mkfifo', [join(home, 'fifo')]);
    await expect(store.storeFile(join(home, 'fifo'))).rejects.toMatchObject({
      code: 'keep/store-failed',
      message: 'cannot store a file: expected a regular file, got something else',
    });
    await expect(store.adoptFile(join(home, 'none'))).rejects.toMatchObject({
      code: 'keep/store-failed',
      message: expect.stringContaining('cannot store a file: ENOENT'),
    });
  });
});

describe('storing a file that stays the user’s own', () => {
  it.each([
    ['small', () => randomBytes(1000)],
    ['of one block', () => randomBytes(6 * 1024 * 1024)],
    ['of two blocks', twoBlocks],
  ])('copies a file %s', async (_what, make) => {
    const data = make();
    const path = await write('mine', data);
    const { locators, sizeBytes } = await store.storeFile(path);
    expect(sizeBytes).toBe(data.length);
    await writeFile(path, 'mine again');
    const whole = await store.wholeFile(locators);
    expect((await readFile(whole ?? '')).equals(data)).toBe(true);
    for (const locator of locators) expect(toLocator(await store.read(locator))).toBe(locator);
  });

  it('does not read a file again that has not changed', async () => {
    const data = randomBytes(2 * 1024 * 1024);
    const path = await write('mine', data);
    const later = { nowNs: () => clock.nowNs() + 10_000_000_000n };
    const patient = await openDiskBlockStore(store.directory, { clock: later });
    const first = await patient.storeFile(path);
    expect(await filesBelow(join(store.directory, 'known'))).toHaveLength(1);
    expect(await patient.storeFile(path)).toEqual(first);
    await writeFile(path, randomBytes(2 * 1024 * 1024));
    expect(await patient.storeFile(path)).not.toEqual(first);
  });

  it('reads a file again that had changed just before it was read', async () => {
    const path = await write('mine', randomBytes(2 * 1024 * 1024));
    await store.storeFile(path);
    await expect(readdir(join(store.directory, 'known'))).rejects.toThrow('ENOENT');
  });

  it('reads a file again whose time was set back over a change', async () => {
    const path = await write('mine', randomBytes(2 * 1024 * 1024));
    const later = { nowNs: () => clock.nowNs() + 10_000_000_000n };
    const patient = await openDiskBlockStore(store.directory, { clock: later });
    const { mtime } = await stat(path);
    const first = await patient.storeFile(path);
    await writeFile(path, randomBytes(2 * 1024 * 1024));
    await utimes(path, mtime, mtime);
    expect(await patient.storeFile(path)).not.toEqual(first);
  });

  it('stores a known file again when its block is gone', async () => {
    const data = randomBytes(2 * 1024 * 1024);
    const path = await write('mine', data);
    const later = { nowNs: () => clock.nowNs() + 10_000_000_000n };
    const patient = await openDiskBlockStore(store.directory, { clock: later });
    const { locators } = await patient.storeFile(path);
    await rm(pathOf(locators[0] as BlockLocator));
    await patient.storeFile(path);
    expect(await store.has(locators[0] as BlockLocator)).toBe(true);
  });
});

describe('damage', () => {
  it('is found, named, set aside and healed by the next write', async () => {
    const locator = await store.write(Buffer.from('precious'));
    const path = pathOf(locator);
    await chmod(path, 0o644);
    await writeFile(path, 'precioux');
    const damaged = { code: 'keep/block-damaged', where: { file: path } };
    await expect(store.read(locator)).rejects.toMatchObject({
      ...damaged,
      message: `block is damaged: expected ${locator}, got ${toLocator(Buffer.from('precioux'))}`,
    });
    await expect(store.read(locator)).rejects.toMatchObject({ code: 'keep/block-missing' });
    expect(await readdir(join(store.directory, 'damaged'))).toEqual([locator.slice(0, 32)]);
    await store.write(Buffer.from('precious'));
    expect(Buffer.from(await store.read(locator)).toString()).toBe('precious');
  });

  it('of a block cut short is not taken for the block', async () => {
    const locator = await store.write(Buffer.from('precious'));
    await chmod(pathOf(locator), 0o644);
    await writeFile(pathOf(locator), 'prec');
    expect(await store.has(locator)).toBe(false);
    expect(await store.wholeFile([locator])).toBeUndefined();
    await store.write(Buffer.from('precious'));
    expect(Buffer.from(await store.read(locator)).toString()).toBe('precious');
  });

  it('inside a whole file is named by its block', async () => {
    const data = twoBlocks();
    const { locators } = await store.adoptFile(await write('big', data));
    const whole = (await store.wholeFile(locators)) ?? '';
    await chmod(whole, 0o644);
    data[data.length - 1] = 0;
    await writeFile(whole, data);
    await expect(store.read(locators[1] as BlockLocator)).rejects.toMatchObject({ code: 'keep/block-damaged' });
    expect(await store.wholeFile(locators)).toBeUndefined();
    const healed = await store.adoptFile(await write('big', twoBlocks()));
    expect(healed.locators).toEqual(locators);
    expect(toLocator(await store.read(locators[1] as BlockLocator))).toBe(locators[1]);
  });
});

describe('what a dead writer left', () => {
  it('is cleared by the next one, and a living one’s stays', async () => {
    const tmp = join(store.directory, 'tmp');
    const [self] = await readdir(tmp);
    const dead = self?.replace(/\.\d+\.(\d+)$/, '.999999999.$1') ?? '';
    await mkdir(join(tmp, dead, 'tree', 'deep'), { recursive: true });
    await writeFile(join(tmp, dead, 'half'), 'half a bl');
    await chmod(join(tmp, dead, 'tree', 'deep'), 0o555);
    await openDiskBlockStore(store.directory, { clock });
    expect(await readdir(tmp)).toEqual([self]);
  });

  it('from another machine is kept for a day', async () => {
    const tmp = join(store.directory, 'tmp');
    await mkdir(join(tmp, 'elsewhere0.1.1'));
    await mkdir(join(tmp, 'elsewhere0.2.2'));
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    await utimes(join(tmp, 'elsewhere0.2.2'), twoDaysAgo, twoDaysAgo);
    await openDiskBlockStore(store.directory, { clock });
    expect(await readdir(tmp)).toContain('elsewhere0.1.1');
    expect(await readdir(tmp)).not.toContain('elsewhere0.2.2');
  });
});
