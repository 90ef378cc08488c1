import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCluster } from '../../src/cluster/cluster.ts';
import { openRemote } from '../fakes/remote-cluster.ts';
import { describeClusterApi } from './cluster-api.ts';

describeClusterApi('embedded, in memory', async () => {
  const cluster = openCluster({ path: ':memory:' });
  return { api: cluster, close: cluster.close };
});

describeClusterApi('arvados, over HTTP', async () => {
  const api = await openRemote();
  return { api, close: api.close };
});

describeClusterApi('embedded, in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hallmark-cluster-'));
  const cluster = openCluster({ path: join(folder, 'records.db') });
  return {
    api: cluster,
    close: () => {
      cluster.close();
      rmSync(folder, { recursive: true });
    },
  };
});
