import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { containerOf, hostRequest, runThrough } from '../../../test/fakes/cluster-work.ts';
import { openCluster } from '../cluster.ts';

describe('previewReuse', () => {
  it('names the container that the request would get, also of a file opened for reading only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hallmark-preview-'));
    const path = join(folder, 'cluster.sqlite');
    try {
      const cluster = openCluster({ path });
      expect(await cluster.previewReuse(hostRequest())).toBeUndefined();
      const container = containerOf(await cluster.create('container_requests', hostRequest()));
      expect(await cluster.previewReuse(hostRequest())).toBe(container);
      await runThrough(cluster, container);
      cluster.close();

      const reader = openCluster({ path, readOnly: true });
      expect(await reader.previewReuse(hostRequest())).toBe(container);
      expect(await reader.previewReuse(hostRequest({ command: ['false'] }))).toBeUndefined();
      expect(await reader.previewReuse(hostRequest({ use_existing: false }))).toBeUndefined();
      await expect(reader.create('container_requests', hostRequest())).rejects.toThrow(/cluster.sqlite/);
      expect((await reader.list('container_requests', {})).itemsAvailable).toBe(1);
      reader.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('refuses what a request would be refused for', async () => {
    const cluster = openCluster({ path: ':memory:' });
    await expect(cluster.previewReuse(hostRequest({ command: [] }))).rejects.toMatchObject({
      code: 'api/bad-attribute',
    });
    cluster.close();
  });
});
