import { spawn } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { unusedBefore } from '../../src/keep/disk/claims.ts';
import { collectBlocks } from '../../src/keep/disk/collect-blocks.ts';
import { openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { toLayout } from '../../src/keep/disk/layout.ts';
import { otherWritersSince } from '../../src/keep/disk/writers.ts';

const claimer = join(import.meta.dirname, 'block-store-claimer.ts');
const count = 2_000;

/** One process claims old blocks from one end while this one takes them from wherever the folder lists them. */
it('a block that a process found is there as long as the process', { timeout: 120_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hallmark-claims-'));
  try {
    const store = await openDiskBlockStore(directory, { clock: systemClock() });
    const layout = toLayout(directory);
    const totals = { claimed: 0, lost: 0, taken: 0 };
    for (let round = 0; round < 4; round += 1) {
      for (let number = 0; number <= count; number += 1) {
        const locator = await store.write(Buffer.from(String(number)));
        utimesSync(join(directory, locator.slice(0, 3), locator.slice(0, 32)), 1_000_000, 1_000_000);
      }
      const child = spawn(process.execPath, [claimer, directory, String(count)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for await (const line of createInterface({ input: child.stdout })) {
        if (line === 'ready') {
          const cutoffMs = unusedBefore(Date.now(), 0, await otherWritersSince(layout.tmp));
          const { newTemporaryPath } = store;
          const what = { layout, cutoffMs, newTemporaryPath, isGarbage: () => true, dryRun: false };
          totals.taken += (await collectBlocks(what)).count;
        } else {
          const { claimed, lost } = JSON.parse(line) as { claimed: number; lost: number };
          totals.claimed += claimed;
          totals.lost += lost;
        }
      }
    }
    expect(totals.lost).toBe(0);
    expect(totals.claimed).toBeGreaterThan(0);
    expect(totals.taken).toBeGreaterThan(0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
