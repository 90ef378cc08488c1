import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pullRequest } from '../../../test/contract/cluster-api.ts';
import { saveFile } from '../../../test/fakes/cluster-work.ts';
import { withCode } from '../../../test/fakes/job-kit.ts';
import { openRemote, startFace } from '../../../test/fakes/remote-cluster.ts';
import { type StockArvados, startStockArvados } from '../../../test/fakes/stock-arvados.ts';
import type { ClusterEvent } from '../../api/port.ts';
import type { Container, ContainerRequest } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { type BuiltinsHere, createBuiltinsHere } from './builtins-here.ts';

let stock: StockArvados;
let here: BuiltinsHere;
beforeEach(async () => {
  stock = await startStockArvados((await startFace()).url);
  here = await reopen();
});
afterEach(() => stock.close());

/** As a later process finds it. */
const reopen = async (): Promise<BuiltinsHere> => {
  const remote = await openRemote(stock.url);
  await remote.blocks.write(Buffer.from('foo'));
  return createBuiltinsHere(remote);
};

const submit = (more: Partial<ContainerRequest> = {}, at = here) =>
  at.api.create('container_requests', pullRequest({ state: 'Committed', priority: 500, ...more }));

const containerOf = (request: ContainerRequest): Uuid => request.container_uuid as Uuid;

/** What crunch-run does, with an output of one file. */
const makeImage = async ({ uuid }: Container): Promise<void> => {
  await here.api.update('containers', uuid, { state: 'Running' });
  await here.api.update('containers', uuid, { runtime_status: { activity: 'pulling' } });
  const output = await saveFile(here.api, 'image.tar');
  await here.api.update('containers', uuid, { state: 'Complete', exit_code: 0, output });
};

/** Resolves with the request once it is Final. */
const finalOf = async ({ uuid }: ContainerRequest, at = here): Promise<ContainerRequest> => {
  const get = () => at.api.get('container_requests', uuid);
  await expect.poll(async () => (await get()).state).toBe('Final');
  return get();
};

describe('a pull for a cluster that cannot', () => {
  it('runs here, and is told of like any other', async () => {
    const events: ClusterEvent[] = [];
    const end = here.api.watch((event) => events.push(event));
    const stop = here.serve(makeImage);
    const request = await submit();
    expect(request).toMatchObject({ state: 'Committed', container_uuid: expect.stringMatching(/-dz642-/) as string });
    const final = await finalOf(request);
    const container = await here.api.get('containers', containerOf(final));
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0, command: ['docker', 'pull', 'debian:12'] });
    expect(events).toContainEqual({ resource: 'containers', uuid: container.uuid });
    expect(events).toContainEqual({ resource: 'container_requests', uuid: request.uuid });
    await stop();
    end();
  });

  it('is found by what it made, by its container and by its uuid, in a later process too', async () => {
    const stop = here.serve(makeImage);
    const { uuid, container_uuid } = await finalOf(await submit());
    await stop();
    const { api } = await reopen();
    const container = await api.get('containers', container_uuid as Uuid);
    expect(container).toMatchObject({ state: 'Complete', output: expect.stringMatching(/\+\d+$/) as string });
    const complete = [
      ['output', '=', container.output],
      ['state', '=', 'Complete'],
    ] as const;
    expect((await api.list('containers', { filters: complete })).items).toEqual([container]);
    const failed = [
      ['output', '=', container.output],
      ['state', '=', 'Cancelled'],
    ] as const;
    expect((await api.list('containers', { filters: failed })).items).toEqual([]);
    const requests = await api.list('container_requests', { filters: [['container_uuid', 'in', [container.uuid]]] });
    expect(requests).toMatchObject({ items: [{ uuid, state: 'Final', container_uuid }], itemsAvailable: 1 });
    const listed = await api.list('container_requests', { filters: [['uuid', '=', uuid]] });
    expect(listed.items).toMatchObject([{ state: 'Final', container_uuid }]);
  });

  it('is done once for equal requests, while its image is there', async () => {
    const runs: Uuid[] = [];
    const stop = here.serve(async (container) => {
      runs.push(container.uuid);
      await makeImage(container);
    });
    const first = await finalOf(await submit());
    const preview = () => here.api.previewReuse(pullRequest());
    expect(await preview()).toBe(first.container_uuid);
    const second = await submit({ name: 'another name' });
    expect(second.state).toBe('Final');
    expect(runs).toHaveLength(1);
    await finalOf(await submit({ use_existing: false }));
    await finalOf(await submit({ command: ['docker', 'pull', 'debian:13'] }));
    const secret_mounts = { '/secrets/a': { kind: 'text', content: 'hush' } } as const;
    for (const _turn of [1, 2]) await finalOf(await submit({ secret_mounts }));
    expect(runs).toHaveLength(5);
    const { output } = await here.api.get('containers', containerOf(first));
    const { items } = await here.api.list('collections', { filters: [['portable_data_hash', '=', output]] });
    for (const { uuid } of items) await here.api.remove('collections', uuid);
    expect(await preview()).toBeUndefined();
    await finalOf(await submit());
    expect(runs).toHaveLength(6);
    await stop();
  });

  it('gets its secrets here; the cluster never sees them', async () => {
    const secret_mounts = { '/secrets/a': { kind: 'text', content: 'hush' } } as const;
    let seen: unknown;
    const stop = here.serve(async (container) => {
      seen = await here.api.secretMounts(container.uuid);
      await makeImage(container);
    });
    await finalOf(await submit({ secret_mounts }));
    expect(seen).toEqual(secret_mounts);
    await stop();
  });

  it('that fails is final, and says why', async () => {
    const stop = here.serve(async () => Promise.reject(new Error('the disk is full')));
    const final = await finalOf(await submit());
    const { api } = await reopen();
    expect(await api.get('containers', containerOf(final))).toMatchObject({
      state: 'Cancelled',
      runtime_status: { error: 'the disk is full' },
    });
    await stop();
  });

  it('ends when nobody wants it, and with the run', async () => {
    const stop = here.serve(async (_container, signal) => {
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const cancelled = await submit();
    await here.api.update('container_requests', cancelled.uuid, { priority: 0 });
    const error = 'no request wants this container any more';
    const container = await here.api.get('containers', containerOf(await finalOf(cancelled)));
    expect(container.runtime_status).toEqual({ error });
    const left = await submit();
    await stop();
    expect(await here.api.get('containers', containerOf(left))).toMatchObject({ state: 'Cancelled' });
  });

  it('is refused where nothing runs it, and other work as ever', async () => {
    await expect(submit()).rejects.toEqual(
      withCode('api/unsupported', /^pull: this cluster has no builtin requests: it cannot docker pull debian:12$/),
    );
    const stop = here.serve(makeImage);
    await expect(submit({ container_image: 'hallmark/host' })).rejects.toEqual(
      withCode('api/unsupported', /^pull: this cluster runs nothing outside a container/),
    );
    const { uuid, container_uuid } = await finalOf(await submit());
    await expect(here.api.update('containers', container_uuid as Uuid, { state: 'Running' })).rejects.toBeDefined();
    expect(await here.api.update('container_requests', uuid, { name: 'renamed' })).toMatchObject({ state: 'Final' });
    await stop();
  });
});
