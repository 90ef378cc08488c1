import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { complete, containerOf, hostRequest, lock, start } from '../../test/fakes/cluster-work.ts';
import { openRemote, startFace } from '../../test/fakes/remote-cluster.ts';
import type { ClusterEvent } from '../api/port.ts';
import type { ContainerRequest } from '../api/records.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { silentLogger } from '../core/logger.ts';
import { createChangeFeed } from './change-feed.ts';
import type { ArvadosCluster } from './open.ts';

let embedded: Cluster;
let remote: ArvadosCluster;
beforeEach(async () => {
  const face = await startFace();
  embedded = face.cluster;
  remote = await openRemote(face.url);
});

/** Resolves with the first event that `wanted` takes. */
const eventOf = (wanted: (event: ClusterEvent) => boolean): Promise<ClusterEvent> =>
  new Promise((resolve) => {
    const end = remote.watch((event) => {
      if (!wanted(event)) return;
      end();
      resolve(event);
    });
  });

describe('the changes of a cluster', () => {
  it('are told for a request of ours that others finish, and for its container', async () => {
    const request = await remote.create('container_requests', hostRequest());
    const uuid = containerOf(request);
    await lock(embedded, uuid);
    await start(embedded, uuid);
    const isRunning = async () => (await remote.get('containers', uuid)).state === 'Running';
    expect(await isRunning()).toBe(true);
    const told = Promise.all([
      eventOf((event) => event.uuid === request.uuid),
      eventOf((event) => event.uuid === uuid),
    ]);
    await complete(embedded, uuid);
    expect(await told).toEqual([
      { resource: 'container_requests', uuid: request.uuid },
      { resource: 'containers', uuid },
    ]);
    expect(await remote.get('container_requests', request.uuid)).toMatchObject({ state: 'Final' });
  });

  it('are told when somebody cancels', async () => {
    const request: ContainerRequest = await remote.create('container_requests', hostRequest());
    await remote.get('containers', containerOf(request));
    const told = eventOf(({ resource }) => resource === 'containers');
    await embedded.update('container_requests', request.uuid, { priority: 0 });
    expect((await told).uuid).toBe(request.container_uuid);
  });

  it('are not asked for when nothing lives, or nobody listens', async () => {
    const lists: string[] = [];
    const feed = createChangeFeed({
      list: async (resource) => {
        lists.push(resource);
        return { items: [], itemsAvailable: 0 };
      },
      logger: silentLogger,
      delaysMs: { least: 1, most: 2 },
    });
    const request = { uuid: 'zzzzz-xvhdp-000000000000001', modified_at: '1', state: 'Committed' } as ContainerRequest;
    feed.saw('container_requests', request);
    await delay(20);
    expect(lists).toEqual([]);
    const end = feed.watch(() => {});
    await expect.poll(() => lists.length).toBeGreaterThan(1);
    feed.saw('container_requests', { ...request, state: 'Final' });
    await delay(10);
    const asked = lists.length;
    await delay(20);
    expect(lists).toHaveLength(asked);
    end();
    feed.close();
  });

  it('go on being told after the cluster could not be reached', async () => {
    let fails = 2;
    const feed = createChangeFeed({
      list: async (resource) => {
        if (resource === 'containers' || fails-- > 0) throw new Error('down');
        return { items: [{ ...request, modified_at: '2' }] as never[], itemsAvailable: 1 };
      },
      logger: silentLogger,
      delaysMs: { least: 1, most: 2 },
    });
    const request = {
      ...{ uuid: 'zzzzz-xvhdp-000000000000001', modified_at: '1', state: 'Committed' },
      container_uuid: 'zzzzz-dz642-000000000000001',
    } as ContainerRequest;
    feed.saw('container_requests', request);
    const told = await new Promise((resolve) => feed.watch(resolve));
    expect(told).toEqual({ resource: 'container_requests', uuid: request.uuid });
    feed.close();
  });
});
