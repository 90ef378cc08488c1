/** block-store-claimer.ts STORE COUNT: claims those of the blocks `0`…`COUNT` that are there, and says how many of these went all the same. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { toLocator } from '../../src/keep/locator.ts';

const [directory = '', count = '0'] = process.argv.slice(2);
const store = await openDiskBlockStore(directory, { clock: systemClock() });
console.log('ready');
const claimed: string[] = [];
for (let number = Number(count); number >= 0; number -= 1) {
  const locator = toLocator(Buffer.from(String(number)));
  if (await store.has(locator)) claimed.push(join(directory, locator.slice(0, 3), locator.slice(0, 32)));
}
await sleep(100);
console.log(JSON.stringify({ claimed: claimed.length, lost: claimed.filter((path) => !existsSync(path)).length }));
