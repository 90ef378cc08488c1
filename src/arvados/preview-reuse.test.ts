import { beforeEach, describe, expect, it } from 'vitest';
import { containerOf, hostRequest, lock, runThrough, start } from '../../test/fakes/cluster-work.ts';
import { openRemote, startFace } from '../../test/fakes/remote-cluster.ts';
import type { ContainerRequest } from '../api/records.ts';
import type { Uuid } from '../core/ids.ts';
import type { ArvadosCluster } from './open.ts';

let remote: ArvadosCluster;
beforeEach(async () => {
  remote = await openRemote((await startFace()).url);
});

const submit = async (more: Partial<ContainerRequest> = {}): Promise<Uuid> =>
  containerOf(await remote.create('container_requests', hostRequest(more)));
const preview = (more: Partial<ContainerRequest> = {}) => remote.previewReuse(hostRequest(more));

describe('what a request would get', () => {
  it('is the earlier container that did the same', async () => {
    expect(await preview()).toBeUndefined();
    const uuid = await submit();
    expect(await preview()).toBe(uuid);
    await runThrough(remote, uuid);
    expect(await preview()).toBe(uuid);
    expect(await preview({ name: 'another name', priority: 1 })).toBe(uuid);
  });

  it.each<[string, Partial<ContainerRequest>]>([
    ['command', { command: ['false'] }],
    ['environment', { environment: { A: '1' } }],
    ['cwd', { cwd: '/out' }],
    ['mounts', { mounts: { '/out': { kind: 'tmp', capacity: 2048 } } }],
    ['another mount', { mounts: { '/out': { kind: 'tmp', capacity: 1024 }, '/t': { kind: 'tmp', capacity: 1 } } }],
    ['output_glob', { output_glob: ['*.txt'] }],
    ['amounts', { runtime_constraints: { ram: 1 << 21, vcpus: 1 } }],
    ['use_existing', { use_existing: false }],
  ])('is nothing where it differs in %s', async (_field, more) => {
    await runThrough(remote, await submit());
    expect(await preview(more)).toBeUndefined();
  });

  it('is not one that failed, nor one whose output is gone', async () => {
    await runThrough(remote, await submit({ use_existing: false }), 3);
    expect(await preview()).toBeUndefined();
    const { output } = await runThrough(remote, await submit({ use_existing: false }));
    const { items } = await remote.list('collections', { filters: [['portable_data_hash', '=', output]] });
    for (const { uuid } of items) await remote.remove('collections', uuid);
    expect(await preview()).toBeUndefined();
  });

  it('is one that ended well before one that runs, and that before one that waits', async () => {
    const waiting = await submit({ use_existing: false });
    const running = await submit({ use_existing: false });
    await lock(remote, running);
    await start(remote, running);
    expect(await preview()).toBe(running);
    const done = await submit({ use_existing: false });
    await runThrough(remote, done);
    expect([await preview(), waiting]).toEqual([done, waiting]);
  });
});
