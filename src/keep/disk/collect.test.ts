import { existsSync, linkSync, mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { blockMd5 } from '../locator.ts';
import { maxBlockBytes } from '../port.ts';
import { unusedBefore } from './claims.ts';
import { collectBlocks, isBlockUnused } from './collect-blocks.ts';
import { collectEntries } from './collect-entries.ts';
import { type DiskBlockStore, openDiskBlockStore } from './disk-store.ts';
import { type Layout, toLayout } from './layout.ts';
import { otherWritersSince, writerName } from './writers.ts';

let home: string;
let store: DiskBlockStore;
let layout: Layout;
/** Everything is unused since then, and nothing is. */
const later = Date.now() + 86_400_000;
const earlier = Date.now() - 86_400_000;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hallmark-collect-'));
  store = await openDiskBlockStore(join(home, 'keep'), { clock: systemClock() });
  layout = toLayout(store.directory);
});
afterEach(() => rm(home, { recursive: true, force: true }));

const pathOf = (locator: BlockLocator) => join(store.directory, locator.slice(0, 3), locator.slice(0, 32));
const readLongAgo = (path: string) => utimesSync(path, 1_000_000, statSync(path).mtimeMs / 1000);

async function storeOf(content: Uint8Array): Promise<readonly BlockLocator[]> {
  const path = join(home, 'file');
  writeFileSync(path, content);
  return (await store.adoptFile(path)).locators;
}

describe('a claim', () => {
  it('says whether something is there', async () => {
    expect(await store.claim(join(home, 'nothing'))).toBe(false);
    expect(await store.claim(home)).toBe(true);
  });

  it.each(['has', 'write', 'adoptFile', 'storeFile', 'wholeFile'] as const)('comes with %s', async (what) => {
    const content = Buffer.from('claimed');
    const locator = await store.write(content);
    const { mtimeMs } = statSync(pathOf(locator));
    readLongAgo(pathOf(locator));
    expect(await isBlockUnused(layout, locator, earlier)).toBe(true);
    const path = join(home, 'again');
    writeFileSync(path, content);
    const uses = { has: () => store.has(locator), write: () => store.write(content) };
    const more = { ...uses, wholeFile: () => store.wholeFile([locator]) };
    await { ...more, adoptFile: () => store.adoptFile(path), storeFile: () => store.storeFile(path) }[what]();
    expect(await isBlockUnused(layout, locator, earlier)).toBe(false);
    expect(Math.abs(statSync(pathOf(locator)).mtimeMs - mtimeMs)).toBeLessThan(1);
  });

  it('comes with a new output, however old its times are', async () => {
    const path = join(home, 'output');
    writeFileSync(path, 'copied with its times');
    utimesSync(path, 1_000_000, 1_000_000);
    const { locators } = await store.adoptFile(path);
    expect(await Promise.all(locators.map((locator) => isBlockUnused(layout, locator, earlier)))).toEqual([false]);
    expect(statSync(pathOf(locators[0] as BlockLocator)).mtimeMs).toBe(1_000_000_000);
  });

  it('waits while another process takes what is unused, and no longer than that lives', async () => {
    mkdirSync(layout.collecting);
    const marker = join(layout.collecting, writerName());
    writeFileSync(marker, '');
    let isClaimed = false;
    const claim = store.claim(home).then(() => {
      isClaimed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isClaimed).toBe(false);
    await rm(marker);
    await claim;
    writeFileSync(join(layout.collecting, writerName().replace(/\.\d+\.\d+\.\d+$/, '.1.0.0')), '');
    expect(await store.claim(home)).toBe(true);
    expect(await readdir(layout.collecting)).toEqual([]);
  });
});

describe('what is unused', () => {
  it('was used before every process that lives came', async () => {
    expect(unusedBefore(100_000, 10_000, [])).toBe(88_000);
    expect(unusedBefore(100_000, 10_000, [95_000, 60_000])).toBe(58_000);
    expect(await otherWritersSince(layout.tmp)).toEqual([]);
    const other = writerName().split('.').with(0, 'elsewhere');
    mkdirSync(join(layout.tmp, other.join('.')));
    mkdirSync(join(layout.tmp, other.slice(0, 3).join('.')));
    expect(await otherWritersSince(layout.tmp)).toEqual([0, Number(other[3])]);
  });

  it('goes from a folder as a whole, and is counted alike without going', async () => {
    const folder = join(home, 'caches');
    mkdirSync(join(folder, 'tree/in'), { recursive: true });
    writeFileSync(join(folder, 'tree/in/file'), Buffer.alloc(10_000));
    writeFileSync(join(folder, 'plain'), 'x');
    mkdirSync(join(folder, '.of-somebody'));
    mkdirSync(join(folder, '.gone-unfinished'));
    const counted = await collectEntries(folder, { layout, cutoffMs: later, dryRun: true });
    expect(counted.count).toBe(3);
    expect(counted.bytes).toBeGreaterThanOrEqual(10_000);
    expect((await readdir(folder)).length).toBe(4);
    expect(await collectEntries(folder, { layout, cutoffMs: earlier, dryRun: true })).toMatchObject({ count: 1 });
    expect(await collectEntries(folder, { layout, cutoffMs: later, dryRun: false })).toEqual(counted);
    expect(await readdir(folder)).toEqual(['.of-somebody']);
    expect(existsSync(layout.collecting)).toBe(false);
  });

  it('counts no bytes that lie elsewhere, too, and nothing where there is no folder', async () => {
    const locator = await store.write(Buffer.alloc(100_000));
    mkdirSync(join(home, 'caches'));
    linkSync(pathOf(locator), join(home, 'caches/link'));
    expect(await collectEntries(join(home, 'caches'), { layout, cutoffMs: later, dryRun: true })).toEqual({
      count: 1,
      bytes: 0,
    });
    expect(await collectEntries(join(home, 'none'), { layout, cutoffMs: later, dryRun: false })).toEqual({
      count: 0,
      bytes: 0,
    });
  });
});

describe('blocks', () => {
  const collect = (isGarbage: (md5: string) => boolean, cutoffMs = later, dryRun = false) =>
    collectBlocks({ layout, cutoffMs, dryRun, isGarbage, newTemporaryPath: store.newTemporaryPath });

  it('go when they are garbage and unused', async () => {
    const [garbage, named] = [await store.write(Buffer.from('garbage')), await store.write(Buffer.from('named'))];
    const isGarbage = (md5: string) => md5 === blockMd5(garbage);
    expect(await collect(isGarbage, earlier)).toEqual({ count: 0, bytes: 0 });
    const counted = await collect(isGarbage, later, true);
    expect(counted.count).toBe(1);
    expect(await collect(isGarbage)).toEqual(counted);
    expect([await store.has(garbage), await store.has(named)]).toEqual([false, true]);
    expect(await store.write(Buffer.from('garbage'))).toBe(garbage);
    expect(await store.has(garbage)).toBe(true);
  });

  it('of a whole file go together, once none of them is needed, and can be stored again', async () => {
    const content = Buffer.concat([Buffer.alloc(maxBlockBytes, 7), Buffer.from('the end')]);
    const locators = await storeOf(content);
    const last = blockMd5(locators[1] as BlockLocator);
    expect(await collect((md5) => md5 !== last)).toEqual({ count: 0, bytes: 0 });
    expect(await Promise.all(locators.map(store.has))).toEqual([true, true]);
    const freed = await collect(() => true);
    expect(freed.count).toBe(1);
    expect(freed.bytes).toBeGreaterThanOrEqual(content.length);
    expect(await Promise.all(locators.map(store.has))).toEqual([false, false]);
    expect(await storeOf(content)).toEqual(locators);
    expect(await Promise.all(locators.map(store.has))).toEqual([true, true]);
  });
});
