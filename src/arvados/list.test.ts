import { beforeEach, describe, expect, it } from 'vitest';
import { openRemote, startFace } from '../../test/fakes/remote-cluster.ts';
import type { ListQuery } from '../api/port.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ApiRequest, Caller } from './caller.ts';
import { listRecords } from './list.ts';

const mostItems = 3;

let cluster: Cluster;
let asked: ApiRequest[];
let caller: Caller;

/** The records of an embedded cluster, given out by few, as a server does whose answers would become too large. */
beforeEach(async () => {
  ({ cluster } = await startFace());
  asked = [];
  const call = async (request: ApiRequest): Promise<unknown> => {
    asked.push(request);
    const query = { limit: 0, ...request.parameters } as ListQuery & { readonly limit: number };
    const limit = Math.min(query.limit, mostItems);
    const { items, itemsAvailable } = await cluster.list('links', { ...query, limit });
    return { items, limit, ...(query.count === 'none' ? {} : { items_available: itemsAvailable }) };
  };
  caller = { call, callOnce: call, get: () => Promise.reject(new Error('not asked')) };
  for (const name of ['c', 'a', 'b', 'b', 'b', 'b', 'd', 'b']) await cluster.create('links', { name });
});

const namesOf = async (query: ListQuery): Promise<string> =>
  (await listRecords(caller, 'links', query)).items.map(({ name }) => name).join('');

describe('a list that the cluster gives in parts', () => {
  it('comes whole, in its order', async () => {
    expect(await namesOf({ order: ['created_at'] })).toBe('cabbbbdb');
    expect(await namesOf({})).toBe('bdbbbbac');
    expect(asked[1]?.parameters).toMatchObject({
      filters: [
        ['created_at', '>=', expect.anything()],
        ['uuid', 'not in', [expect.anything()]],
      ],
    });
  });

  it('has each of many equal keys once', async () => {
    expect(await namesOf({ order: ['name', 'uuid'] })).toBe('abbbbbcd');
    expect(await namesOf({ order: ['name desc'], filters: [['name', '!=', 'c']] })).toBe('dbbbbba');
  });

  it('is no longer than was asked', async () => {
    expect(await namesOf({ order: ['created_at'], limit: 4 })).toBe('cabb');
    expect(asked).toHaveLength(2);
    expect(await namesOf({ order: ['created_at'], limit: 2 })).toBe('ca');
    expect(asked).toHaveLength(3);
  });

  it('goes by number from an offset on, or without a key', async () => {
    expect(await namesOf({ order: ['created_at'], offset: 1, limit: 6 })).toBe('abbbbd');
    expect(await namesOf({ order: ['created_at'], select: ['name'] })).toBe('cabbbbdb');
  });

  it('comes whole uncounted too', async () => {
    const page = await listRecords(caller, 'links', { order: ['created_at'], count: 'none' });
    expect(page.items.map(({ name }) => name).join('')).toBe('cabbbbdb');
    expect(page.itemsAvailable).toBe(8);
  });

  it('ends where there is no more', async () => {
    expect(await namesOf({ filters: [['name', '=', 'x']] })).toBe('');
    expect(asked).toHaveLength(1);
  });
});

it('counts as the embedded cluster counts', async () => {
  const { cluster: embedded, url } = await startFace();
  for (const name of ['a', 'b', 'c']) await embedded.create('links', { name });
  const remote = await openRemote(url);
  expect((await remote.list('links', { limit: 1 })).itemsAvailable).toBe(3);
  expect((await remote.list('links', { limit: 1, offset: 1, count: 'none' })).itemsAvailable).toBe(2);
});
