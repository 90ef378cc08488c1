import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createLocalKeep } from '../../src/arvados/keep/local-keep.ts';
import { createSignatures } from '../../src/arvados/keep/signatures.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openDiskBlockStore } from '../../src/keep/disk/disk-store.ts';
import { createMemoryBlockStore } from '../../src/keep/memory-store.ts';
import { openRemoteKeep } from '../fakes/remote-cluster.ts';
import { describeBlockStore } from './block-store.ts';

const directories: string[] = [];

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hallmark-blocks-'));
  directories.push(directory);
  return directory;
}

describeBlockStore('arvados, over HTTP', openRemoteKeep);
describeBlockStore('arvados, with a disk in front', async () =>
  createLocalKeep({
    disk: await openDiskBlockStore(await newDirectory(), { clock: systemClock() }),
    remote: await openRemoteKeep(),
    signatures: createSignatures(),
    logger: silentLogger,
  }),
);
describeBlockStore('memory', async () => createMemoryBlockStore());
describeBlockStore('disk', async () => openDiskBlockStore(await newDirectory(), { clock: systemClock() }));
describeBlockStore('disk, with fsync', async () =>
  openDiskBlockStore(await newDirectory(), { clock: systemClock(), fsync: true }),
);
