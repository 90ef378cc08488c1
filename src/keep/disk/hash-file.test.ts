import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorCode } from '../block-errors.ts';
import { maxBlockBytes } from '../port.ts';
import { isTooLargeForCache, openDirect } from './direct.ts';
import { hashFile, hashInTurn } from './hash-file.ts';
import { hashInParallel, minParallelBytes } from './parallel-hash.ts';
import { blockMode } from './place.ts';

let home: string;
let path: string;
/** Sparse but for some bytes, so that the blocks differ and the disk is spared. */
const sizeBytes = minParallelBytes + 12345;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hallmark-hash-'));
  path = join(home, 'file');
  await writeFile(path, 'first');
  await truncate(path, sizeBytes);
  await using file = await open(path, 'r+');
  for (let block = 1; block < 5; block += 1) await file.write(`block ${block}`, block * maxBlockBytes + block);
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe('hashing a file of many blocks', () => {
  it('by several threads gives what one gives', async () => {
    await using file = await open(path, 'r');
    const inTurn = await hashInTurn(file);
    expect(inTurn).toHaveLength(5);
    expect(inTurn.at(-1)).toMatch(/\+12345$/);
    expect(await hashInParallel(file.fd, sizeBytes)).toEqual(inTurn);
    expect(await hashFile(file)).toEqual(inTurn);
  });

  it.each([
    ['several threads', hashFile],
    ['one thread', hashInTurn],
  ])('copies it on the way, by %s', async (_what, hash) => {
    await using file = await open(path, 'r');
    await using copy = await open(join(home, 'copy'), 'wx');
    await hash(file, { copyTo: copy });
    expect(execFileSync('cmp', [path, join(home, 'copy')], { encoding: 'utf8' })).toBe('');
  });

  it.each([
    ['on the disk', tmpdir],
    ['in memory, which some kernels refuse', () => '/dev/shm'],
  ])('copies it past the memory, %s', async (_what, folder) => {
    const at = await mkdtemp(join(folder(), 'hallmark-direct-'));
    try {
      await using file = await open(path, 'r');
      await using copy = await open(join(at, 'copy'), 'wx', blockMode);
      await using direct = await openDirect(copy);
      const locators = await hashInParallel(file.fd, sizeBytes, { copyTo: copy.fd, copyDirectlyTo: direct?.fd });
      expect(locators).toEqual(await hashInTurn(file));
      expect(execFileSync('cmp', [path, join(at, 'copy')], { encoding: 'utf8' })).toBe('');
      expect((await copy.stat()).mode & 0o777).toBe(blockMode);
    } finally {
      await rm(at, { recursive: true });
    }
  });

  it('copies past the memory what would take too much of it', () => {
    expect([minParallelBytes / 1e6, 1e15].map(isTooLargeForCache)).toEqual([false, true]);
  });

  it('reports what the file system said in a thread', async () => {
    await using file = await open(path, 'r');
    await using readOnly = await open(path, 'r');
    const error = await hashFile(file, { copyTo: readOnly }).catch((caught: unknown) => caught);
    expect(errorCode(error)).toBe('EBADF');
  });

  it.each([
    ['several threads', hashFile],
    ['one thread', hashInTurn],
  ])('ends in the middle when nobody wants it, by %s', async (_what, hash) => {
    await using file = await open(path, 'r');
    const controller = new AbortController();
    const hashed = hash(file, { signal: controller.signal });
    controller.abort(new Error('interrupted'));
    await expect(hashed).rejects.toThrow('interrupted');
  });

  it('notices that a file became shorter', async () => {
    await using file = await open(path, 'r');
    await expect(hashInParallel(file.fd, sizeBytes + maxBlockBytes)).rejects.toThrow('became shorter');
  });
});

describe('hashing a small file', () => {
  it.each([0, 1, 100_000])('of %i bytes', async (length) => {
    const data = Buffer.alloc(length, 'x');
    await writeFile(join(home, 'small'), data);
    await using file = await open(join(home, 'small'), 'r');
    const md5 = createHash('md5').update(data).digest('hex');
    expect(await hashFile(file)).toEqual(length === 0 ? [] : [`${md5}+${length}`]);
  });
});
