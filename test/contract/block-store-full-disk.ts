/**
 * Fills the small file system at DIRECTORY with a disk store, and prints as JSON what each way of writing said and what is left:
 *     node block-store-full-disk.ts DIRECTORY
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { isHallmarkError } from '../../src/core/errors.ts';
import type { BlockLocator } from '../../src/core/ids.ts';
import { checkoutCached } from '../../src/keep/checkout.ts';
import { createCollectionWriter } from '../../src/keep/collection-writer.ts';
import { openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';

const [directory = ''] = process.argv.slice(2);
const elsewhere = await mkdtemp(join(tmpdir(), 'hallmark-full-'));
const store = await openDiskBlockStore(join(directory, 'keep'), { clock: systemClock() });
const held: BlockLocator[] = [];

async function failure(task: () => Promise<unknown>): Promise<string> {
  try {
    await task();
    return 'no error';
  } catch (error) {
    return isHallmarkError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

async function outside(name: string, sizeBytes: number): Promise<string> {
  const path = join(elsewhere, name);
  await writeFile(path, randomBytes(sizeBytes));
  return path;
}

const writer = createCollectionWriter(store);
const pieces = await writer.addBytes('whole', randomBytes(1024 * 1024));
const [piece] = pieces.segments;
if (!piece) throw new Error('no segment');
for (let part = 0; part < 20; part += 1)
  writer.addSegments(`part-${part}`, [{ ...piece, offset: 1, length: piece.length - 2 }]);
held.push(piece.locator);

const block = await failure(async () => {
  for (;;) held.push(await store.write(randomBytes(600_000)));
});
const adopted = await failure(async () => store.adoptFile(await outside('adopted', 5_000_000)));
const copied = await failure(async () => store.storeFile(await outside('copied', 5_000_000)));
const tree = await failure(() => checkoutCached(store, writer.finish()));

const lost: BlockLocator[] = [];
for (const locator of held) await store.read(locator).catch(() => lost.push(locator));
const temporary = (await readdir(join(store.directory, 'tmp'), { recursive: true, withFileTypes: true })).filter(
  (entry) => entry.isFile(),
);
await rm(join(store.directory, (held.at(-1) ?? '').slice(0, 3)), { recursive: true });
const after = await failure(() => store.write(randomBytes(100_000)));
await rm(elsewhere, { recursive: true });
process.stdout.write(
  JSON.stringify({
    block,
    adopted,
    copied,
    tree,
    lost,
    temporary: temporary.length,
    after: after === 'no error' ? 'ok' : after,
  }),
);
