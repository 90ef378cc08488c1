/**
 * A process that writes to a disk store until it is killed:
 *     node block-store-writer.ts DIRECTORY SEED COUNT
 * It makes blocks, adopted files and checkouts of content that the seed decides, and after each prints one line, "block LOCATOR",
 * "file LOCATOR…" or "tree PDH": what it was told is safe.
 */
import { writeSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { checkoutCached } from '../../src/keep/checkout.ts';
import { createCollectionWriter } from '../../src/keep/collection-writer.ts';
import { openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';

const [directory = '', seed = '', count = ''] = process.argv.slice(2);
const store = await openDiskBlockStore(directory, { clock: systemClock() });
const outputs = join(directory, '..', `outputs-${process.pid}`);
await mkdir(outputs, { recursive: true });

for (let turn = 0; turn < Number(count); turn += 1) await write(turn);

async function write(turn: number): Promise<void> {
  const content = (part: number) => Buffer.from(`${seed} ${turn} ${part} `.repeat(1 + ((turn * 7919 + part) % 20_000)));
  tell('block', await store.write(content(0)));
  const path = join(outputs, String(turn));
  await writeFile(path, turn % 10 === 3 ? Buffer.alloc(66 * 1024 * 1024, turn) : content(1));
  tell('file', (await store.adoptFile(path)).locators.join(' '));
  const writer = createCollectionWriter(store);
  for (let part = 2; part < 12; part += 1) await writer.addBytes(`d${part % 3}/f${part}`, content(part));
  const collection = writer.finish();
  await checkoutCached(store, collection);
  tell('tree', collection.portableDataHash);
}

function tell(what: string, name: string): void {
  writeSync(1, `${what} ${name}\n`);
}
