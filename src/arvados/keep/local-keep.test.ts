import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { BlockLocator } from '../../core/ids.ts';
import { silentLogger } from '../../core/logger.ts';
import { type DiskBlockStore, openDiskBlockStore } from '../../keep/disk/disk-store.ts';
import { stripHints } from '../../keep/locator.ts';
import { createMemoryBlockStore } from '../../keep/memory-store.ts';
import type { BlockStore } from '../../keep/port.ts';
import { removeTree } from '../../keep/remove-tree.ts';
import { createLocalKeep } from './local-keep.ts';
import { createSignatures, type Signatures } from './signatures.ts';

const signature = '+A1f27a35dd9af37191d63ad8eb8985624451e7b79@5835c8bc';

let folder: string;
let disk: DiskBlockStore;
let calls: string[];
let remote: BlockStore;
let signatures: Signatures;
let keep: DiskBlockStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hallmark-local-keep-'));
  disk = await openDiskBlockStore(join(folder, 'keep'), { clock: systemClock() });
  calls = [];
  signatures = createSignatures();
  remote = signing(createMemoryBlockStore());
  keep = createLocalKeep({ disk, remote, signatures, logger: silentLogger });
});
afterEach(() => removeTree(folder));

/** A cluster that signs, and notes what it was asked for. */
function signing(store: BlockStore): BlockStore {
  return {
    read: (locator, signal) => {
      calls.push(`read ${stripHints(locator)}`);
      return store.read(locator, signal);
    },
    write: async (data) => {
      const locator = await store.write(data);
      calls.push(`write ${locator}`);
      const signed = `${locator}${signature}` as BlockLocator;
      signatures.add(signed);
      return signed;
    },
    has: (locator) => store.has(locator),
  };
}

describe('a disk in front of a cluster', () => {
  it('sends a file and gives the locators that the cluster signed', async () => {
    const path = join(folder, 'input.txt');
    await writeFile(path, 'input\n');
    const stored = await keep.storeFile(path);
    expect(stored).toEqual({ locators: [expect.stringContaining(signature)], sizeBytes: 6 });
    expect(Buffer.from(await remote.read(stored.locators[0] as BlockLocator)).toString()).toBe('input\n');
    expect(await keep.wholeFile(stored.locators)).toBeDefined();
  });

  it('sends a block once, whoever asks for it', async () => {
    const data = Buffer.from('same');
    const locators = await Promise.all([keep.write(data), keep.write(data), keep.write(data)]);
    await keep.write(data);
    expect(new Set(locators).size).toBe(1);
    expect(calls).toHaveLength(1);
  });

  it('sends what the disk has and the cluster lacks', async () => {
    const locator = await disk.write(Buffer.from('older'));
    expect(await keep.has(locator)).toBe(false);
    await keep.write(Buffer.from('older'));
    expect(await keep.has(locator)).toBe(true);
  });

  it('asks the cluster once for what it has read', async () => {
    const locator = await remote.write(Buffer.from('far'));
    for (let turn = 0; turn < 3; turn += 1) expect(Buffer.from(await keep.read(locator)).toString()).toBe('far');
    expect(calls.filter((call) => call.startsWith('read'))).toHaveLength(1);
  });

  it('asks the cluster for what is damaged on the disk', async () => {
    const locator = await keep.write(Buffer.from('whole'));
    const path = (await disk.wholeFile([locator])) ?? '';
    await chmod(path, 0o600);
    await writeFile(path, 'whol3');
    expect(Buffer.from(await keep.read(locator)).toString()).toBe('whole');
  });

  it('reads on when the disk takes nothing more, and says so once', async () => {
    const warnings: string[] = [];
    const full = { ...disk, write: () => Promise.reject(new Error('no space left')) };
    const logger = { ...silentLogger, warn: (line: string) => void warnings.push(line) };
    const store = createLocalKeep({ disk: full, remote, signatures, logger });
    const locators = [await remote.write(Buffer.from('a')), await remote.write(Buffer.from('b'))];
    for (const locator of locators) expect(await store.read(locator)).toHaveLength(1);
    expect(warnings).toEqual(['blocks of the cluster are not kept on this machine: no space left']);
  });
});

describe('signatures', () => {
  it('are put where they are known', async () => {
    const locator = await keep.write(Buffer.from('a'));
    const unsigned = stripHints(locator);
    const manifest = (...blocks: string[]) => `. ${blocks.join(' ')} 0:1:a\n./d ${blocks.join(' ')} 0:1:b\n`;
    const other = '0cc175b9c0f1b6a831c399e269772662+1';
    expect(signatures.sign(manifest(unsigned, other))).toBe(manifest(locator, other));
    expect(signatures.sign(manifest(`${unsigned}+Aother@1`))).toBe(manifest(`${unsigned}+Aother@1`));
  });
});
