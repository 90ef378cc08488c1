import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pullRequest } from '../../../test/contract/cluster-api.ts';
import { silentLogger } from '../../core/logger.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { recoverAbandoned } from './recover.ts';

let folder = '';
let gone: Cluster;
let next: Cluster;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-recover-'));
  const path = join(folder, 'cluster.sqlite');
  gone = openCluster({ path });
  next = openCluster({ path });
});
afterEach(() => {
  gone.close();
  next.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As if the process of the first store had been killed. */
const kill = () => next.store.db.run('UPDATE sessions SET pid = 4194305 WHERE uuid = ?', gone.store.session.uuid);

/** A committed request; with the run that it belongs to, if any. */
const request = (run?: string) =>
  pullRequest({ state: 'Committed', priority: 500, properties: run === undefined ? {} : { 'hm:run': run } });

it('cancels what a run that is gone still waited for', async () => {
  const { uuid, container_uuid } = await gone.create('container_requests', request('xxxxx-xvhdp-000000000000000'));
  kill();
  recoverAbandoned(next.store, silentLogger);
  expect(await next.get('container_requests', uuid)).toMatchObject({ state: 'Final', priority: 0 });
  if (container_uuid === null) throw new Error('the request got no container');
  expect((await next.get('containers', container_uuid)).state).toBe('Cancelled');
});

it('cancels what a run could not give back, since the disk was full', async () => {
  const { uuid } = await gone.create('container_requests', request('xxxxx-xvhdp-000000000000000'));
  const { db } = gone.store;
  db.get(`PRAGMA max_page_count = ${Number(db.get('PRAGMA page_count')?.page_count)}`);
  await expect(gone.create('links', { name: 'x'.repeat(1e6) })).rejects.toMatchObject({ code: 'api/unavailable' });
  gone.close();
  kill();
  recoverAbandoned(next.store, silentLogger);
  expect(await next.get('container_requests', uuid)).toMatchObject({ state: 'Final', priority: 0 });
});

it('leaves what a server that stopped in order had of its clients', async () => {
  const { uuid } = await gone.create('container_requests', request('xxxxx-xvhdp-000000000000000'));
  gone.close();
  recoverAbandoned(next.store, silentLogger);
  expect(await next.get('container_requests', uuid)).toMatchObject({ state: 'Committed', priority: 500 });
});

it('leaves a container to the live run that wants it too', async () => {
  const first = await gone.create('container_requests', request('xxxxx-xvhdp-000000000000000'));
  const second = await next.create('container_requests', request('xxxxx-xvhdp-000000000000001'));
  expect(second.container_uuid).toBe(first.container_uuid);
  kill();
  recoverAbandoned(next.store, silentLogger);
  expect(await next.get('container_requests', second.uuid)).toMatchObject({ state: 'Committed', priority: 500 });
  if (second.container_uuid === null) throw new Error('the request got no container');
  expect((await next.get('containers', second.container_uuid)).state).toBe('Queued');
});

it('leaves requests that belong to no run: a client comes back for them', async () => {
  const { uuid } = await gone.create('container_requests', request());
  kill();
  recoverAbandoned(next.store, silentLogger);
  expect((await next.get('container_requests', uuid)).state).toBe('Committed');
});
