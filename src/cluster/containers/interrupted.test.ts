import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pullRequest } from '../../../test/contract/cluster-api.ts';
import { type Cluster, openCluster } from '../cluster.ts';

let folder = '';
let path = '';
let runner: Cluster;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-interrupted-'));
  path = join(folder, 'cluster.sqlite');
  runner = openCluster({ path });
});
afterEach(() => {
  runner.close();
  rmSync(folder, { recursive: true, force: true });
});

const makeRun = () =>
  runner.create('container_requests', {
    ...pullRequest({ state: 'Uncommitted' }),
    properties: { 'hm:kind': 'run', 'hm:status': 'running', 'hm:document': 'file:///a.cwl' },
  });

/** What a process that opens the home now finds. */
async function statusOf(uuid: Awaited<ReturnType<typeof makeRun>>['uuid']) {
  const cluster = openCluster({ path });
  try {
    return (await cluster.get('container_requests', uuid)).properties;
  } finally {
    cluster.close();
  }
}

it('leaves a run alone while its runner lives', async () => {
  const { uuid } = await makeRun();
  expect(await statusOf(uuid)).toMatchObject({ 'hm:status': 'running' });
});

it('marks a run whose runner was killed', async () => {
  const { uuid } = await makeRun();
  runner.store.db.run('UPDATE sessions SET pid = 4194305 WHERE uuid = ?', runner.store.session.uuid);
  expect(await statusOf(uuid)).toEqual({
    'hm:kind': 'run',
    'hm:status': 'interrupted',
    'hm:document': 'file:///a.cwl',
  });
});

it('marks a run whose runner ended and could not say how', async () => {
  const { uuid } = await makeRun();
  runner.close();
  runner = openCluster({ path: join(folder, 'other.sqlite') });
  expect(await statusOf(uuid)).toMatchObject({ 'hm:status': 'interrupted' });
});

it('keeps how a run ended', async () => {
  const { uuid, properties } = await makeRun();
  await runner.update('container_requests', uuid, { properties: { ...properties, 'hm:status': 'failure' } });
  runner.store.db.run('UPDATE sessions SET pid = 4194305 WHERE uuid = ?', runner.store.session.uuid);
  expect(await statusOf(uuid)).toMatchObject({ 'hm:status': 'failure' });
});
