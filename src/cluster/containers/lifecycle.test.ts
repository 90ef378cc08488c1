import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectCode } from '../../../test/contract/cluster-api.ts';
import {
  complete,
  containerOf,
  fail,
  hostRequest,
  lock,
  runThrough,
  saveFile,
  start,
} from '../../../test/fakes/cluster-work.ts';
import type { ContainerRequest } from '../../api/records.ts';
import { type Cluster, openCluster } from '../cluster.ts';

let folder: string;
let cluster: Cluster;
const submit = (more: Partial<ContainerRequest> = {}) => cluster.create('container_requests', hostRequest(more));
const request = (made: ContainerRequest) => cluster.get('container_requests', made.uuid);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-life-'));
  cluster = openCluster({ path: join(folder, 'records.db') });
});
afterEach(() => {
  cluster.close();
  rmSync(folder, { recursive: true });
});

describe('the life of a container', () => {
  it('goes from Queued to Complete and ends its request', async () => {
    const made = await submit({
      name: 'align',
      output_name: 'aligned reads',
      output_properties: { sample: 'a', type: 'mine' },
    });
    const uuid = containerOf(made);
    expect(await lock(cluster, uuid)).toMatchObject({ state: 'Locked', lock_count: 1, started_at: null });
    const running = await start(cluster, uuid);
    expect(running.started_at).not.toBeNull();
    await cluster.update('containers', uuid, { output_properties: { sample: 'b', tool: 'bwa' }, progress: 0.5 });
    const done = await complete(cluster, uuid);
    expect(done).toMatchObject({ state: 'Complete', exit_code: 0, locked_by_uuid: null });
    const final = await request(made);
    expect(final).toMatchObject({ state: 'Final', container_uuid: uuid });
    const output = await cluster.get('collections', final.output_uuid ?? made.uuid);
    expect(output).toMatchObject({ name: 'aligned reads', portable_data_hash: done.output, trash_at: null });
    expect(output.properties).toEqual({ type: 'mine', container_request: made.uuid, sample: 'a', tool: 'bwa' });
    const log = await cluster.get('collections', final.log_uuid ?? made.uuid);
    expect(log.properties).toEqual({ type: 'log', container_request: made.uuid, container_uuid: uuid });
  });

  it('gives the output a lifetime where one is asked for', async () => {
    const made = await submit({ output_ttl: 3600 });
    await runThrough(cluster, containerOf(made));
    const { output_uuid } = await request(made);
    const output = await cluster.get('collections', output_uuid ?? made.uuid);
    const lifetimeMs = Date.parse(output.trash_at ?? '') - Date.parse(output.created_at);
    expect(Math.round(lifetimeMs / 1000)).toBe(3600);
  });

  it('may go back to the queue, and is given up after five starts', async () => {
    const uuid = containerOf(await submit());
    for (let times = 1; times < 5; times += 1) {
      await lock(cluster, uuid);
      expect(await cluster.update('containers', uuid, { state: 'Queued' })).toMatchObject({ lock_count: times });
    }
    await lock(cluster, uuid);
    const end = await cluster.update('containers', uuid, { state: 'Queued' });
    expect(end).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(end.runtime_status.error).toMatch(/given up after 5 attempts/);
  });

  it('is changed only by the holder of its lock', async () => {
    const other = openCluster({ path: join(folder, 'records.db') });
    const uuid = containerOf(await submit());
    await lock(other, uuid);
    await expectCode('api/forbidden-change', lock(cluster, uuid), /locked by/);
    await expectCode('api/forbidden-change', start(cluster, uuid), /only the holder/);
    await start(other, uuid);
    await expectCode('api/forbidden-change', fail(cluster, uuid, { error: 'mine now' }));
    other.close();
  });

  it('ends once', async () => {
    const uuid = containerOf(await submit());
    await runThrough(cluster, uuid);
    await expectCode('api/forbidden-change', fail(cluster, uuid, { error: 'late' }));
    await expectCode('api/forbidden-change', cluster.update('containers', uuid, { exit_code: 1 }));
    await expectCode('api/forbidden-change', cluster.remove('containers', uuid), /cannot be removed/);
  });

  it('follows the order of states', async () => {
    const uuid = containerOf(await submit());
    await expectCode('api/forbidden-change', start(cluster, uuid), /expected the state after Queued/);
    await lock(cluster, uuid);
    await expectCode('api/forbidden-change', cluster.update('containers', uuid, { state: 'Complete', exit_code: 0 }));
    await expectCode('api/forbidden-change', cluster.update('containers', uuid, { progress: 0.5 }), /progress/);
    await expectCode('api/bad-attribute', cluster.update('containers', uuid, { state: 'Done' as never }));
    await start(cluster, uuid);
    await expectCode('api/bad-attribute', cluster.update('containers', uuid, { state: 'Complete' }), /exit_code/);
    await expectCode(
      'api/bad-attribute',
      cluster.update('containers', uuid, { state: 'Complete', exit_code: 0, output: `${'0'.repeat(32)}+1` as never }),
      /output/,
    );
    await expectCode('api/forbidden-change', cluster.update('containers', uuid, { priority: 7 }), /set by the cluster/);
    await expectCode('api/forbidden-change', cluster.create('containers', {}), /made by the cluster/);
  });

  it('that could not say how it ended says so', async () => {
    const uuid = containerOf(await submit({ container_count_max: 1 }));
    await lock(cluster, uuid);
    const end = await cluster.update('containers', uuid, { state: 'Cancelled' });
    expect(end.runtime_status.error).toBe('ended before it had an exit code');
  });
});

describe('retries', () => {
  it('follow a failure of the infrastructure until container_count_max', async () => {
    const made = await submit({ container_count_max: 2 });
    const first = containerOf(made);
    await lock(cluster, first);
    await start(cluster, first);
    await fail(cluster, first, { error: 'engine lost' });
    const second = await request(made);
    expect(second).toMatchObject({ state: 'Committed', container_count: 2 });
    expect(second.container_uuid).not.toBe(first);
    await lock(cluster, containerOf(second));
    await fail(cluster, containerOf(second), { error: 'engine lost again' });
    expect(await request(made)).toMatchObject({ state: 'Final', output_uuid: null, container_count: 2 });
  });

  it('do not follow a failure of the command', async () => {
    const made = await submit();
    await runThrough(cluster, containerOf(made), 1);
    expect(await request(made)).toMatchObject({ state: 'Final', container_count: 1 });
  });

  it('do not follow what would fail the same way', async () => {
    const made = await submit();
    await lock(cluster, containerOf(made));
    await fail(cluster, containerOf(made), { error: 'too large', retryable: false });
    expect(await request(made)).toMatchObject({ state: 'Final', container_count: 1 });
  });

  it('share one container among the requests that shared the failed one', async () => {
    const [a, b] = [await submit(), await submit()];
    expect(b.container_uuid).toBe(a.container_uuid);
    await lock(cluster, containerOf(a));
    await fail(cluster, containerOf(a), { error: 'engine lost' });
    const [c, d] = [await request(a), await request(b)];
    expect(c.container_uuid).toBe(d.container_uuid);
    expect(c.container_uuid).not.toBe(a.container_uuid);
  });
});

describe('cancelling', () => {
  it('ends a queued container at once', async () => {
    const made = await submit();
    await cluster.update('container_requests', made.uuid, { priority: 0 });
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(await request(made)).toMatchObject({ state: 'Final', priority: 0 });
  });

  it('leaves what another request wants', async () => {
    const [a, b] = [await submit({ priority: 700 }), await submit({ priority: 3 })];
    await cluster.update('container_requests', a.uuid, { priority: 0 });
    expect(await cluster.get('containers', containerOf(b))).toMatchObject({ state: 'Queued', priority: 3 });
    await runThrough(cluster, containerOf(b));
    expect(await request(a)).toMatchObject({ state: 'Final' });
  });

  it('keeps a container from starting', async () => {
    const made = await submit();
    const uuid = containerOf(made);
    await lock(cluster, uuid);
    await cluster.update('container_requests', made.uuid, { priority: 0 });
    await expectCode('api/forbidden-change', start(cluster, uuid), /no request wants it/);
    const end = await cluster.update('containers', uuid, { state: 'Cancelled' });
    expect(end.runtime_status.error).toMatch(/no request wants it/);
    expect(await request(made)).toMatchObject({ state: 'Final' });
  });

  it('goes on to the requests that the container made', async () => {
    const parent = await submit();
    const child = await submit({ command: ['child'], requesting_container_uuid: containerOf(parent) });
    await lock(cluster, containerOf(parent));
    await cluster.update('container_requests', parent.uuid, { priority: 0 });
    await cluster.update('containers', containerOf(parent), { state: 'Cancelled' });
    expect(await request(child)).toMatchObject({ state: 'Final', priority: 0 });
    expect(await cluster.get('containers', containerOf(child))).toMatchObject({ state: 'Cancelled' });
  });

  it('happens when the request is removed', async () => {
    const made = await submit();
    await cluster.remove('container_requests', made.uuid);
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({ state: 'Cancelled' });
  });

  it('can be taken back before the container has one end', async () => {
    const made = await submit({ priority: 0 });
    expect(made.container_uuid).toBeNull();
    const again = await cluster.update('container_requests', made.uuid, { priority: 9 });
    expect(await cluster.get('containers', containerOf(again))).toMatchObject({ state: 'Queued', priority: 9 });
  });
});

describe('secret mounts', () => {
  const secret_mounts = { '/run/token': { kind: 'text', content: 'hush' } } as const;

  it('reach only the session that runs the container, and are wiped at its end', async () => {
    const uuid = containerOf(await submit({ secret_mounts }));
    await expectCode('api/not-authorized', cluster.secretMounts(uuid), /holder of its lock/);
    await lock(cluster, uuid);
    expect(await cluster.secretMounts(uuid)).toEqual(secret_mounts);
    expect(JSON.stringify(await cluster.get('containers', uuid))).not.toContain('hush');
    await start(cluster, uuid);
    await complete(cluster, uuid);
    const kept = cluster.store.db.all(
      'SELECT secret_mounts FROM containers UNION SELECT secret_mounts FROM container_requests',
    );
    expect(kept).toEqual([{ secret_mounts: '{}' }]);
  });

  it('come back for a retry', async () => {
    const made = await submit({ secret_mounts });
    await lock(cluster, containerOf(made));
    await fail(cluster, containerOf(made), { error: 'engine lost' });
    const next = containerOf(await request(made));
    await lock(cluster, next);
    expect(await cluster.secretMounts(next)).toEqual(secret_mounts);
  });

  it('are only text and json', async () => {
    const content = await saveFile(cluster);
    const mount = { kind: 'collection', portable_data_hash: content } as const;
    await expectCode('api/bad-attribute', submit({ secret_mounts: { '/x': mount } }), /text or json/);
  });
});
