import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { toLocator } from '../locator.ts';
import { openDiskBlockStore } from './disk-store.ts';
import { createScratchBlockStore } from './scratch-store.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hallmark-scratch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('createScratchBlockStore', () => {
  it('names the blocks of a file as the real store does, and reads them where they lie', async () => {
    const file = join(folder, 'large');
    await writeFile(file, Buffer.alloc(65 * 1024 * 1024, 'ab'));
    const none = join(folder, 'none');
    const scratch = createScratchBlockStore(none);
    const named = await scratch.storeFile(file);
    const real = await openDiskBlockStore(join(folder, 'real'), { clock: systemClock() });
    expect(named).toEqual(await real.storeFile(file));
    for (const locator of named.locators) expect(toLocator(await scratch.read(locator))).toBe(locator);
    expect(existsSync(none)).toBe(false);
  });

  it('reads what the store has, and adds nothing to it', async () => {
    const directory = join(folder, 'kept');
    const kept = await (await openDiskBlockStore(directory, { clock: systemClock() })).write(Buffer.from('kept'));
    const before = await readdir(directory, { recursive: true });
    const scratch = createScratchBlockStore(directory);
    expect(Buffer.from(await scratch.read(kept)).toString()).toBe('kept');
    const written = await scratch.write(Buffer.from('new'));
    expect(Buffer.from(await scratch.read(written)).toString()).toBe('new');
    expect([await scratch.has(kept), await scratch.has(written)]).toEqual([true, true]);
    expect(await readdir(directory, { recursive: true })).toEqual(before);
  });

  it('gives no bytes of a file that changed after it was hashed', async () => {
    const file = join(folder, 'changing');
    await writeFile(file, 'before');
    const scratch = createScratchBlockStore(join(folder, 'none'));
    const [locator = toLocator(Buffer.from(''))] = (await scratch.storeFile(file)).locators;
    await writeFile(file, 'after!');
    await expect(scratch.read(locator)).rejects.toMatchObject({ code: 'keep/block-missing' });
  });
});
