import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mayHaveChanged } from '../../api/events.ts';
import type { ClusterEvent } from '../../api/port.ts';
import { isHallmarkError } from '../../core/errors.ts';
import type { Uuid } from '../../core/ids.ts';
import { openCluster } from '../cluster.ts';
import { toStoreError } from './store-error.ts';
import { addSeconds, toStoredTime } from './time.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-store-'));
  path = join(folder, 'records.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function failure(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (isHallmarkError(error)) return error;
    throw error;
  }
  throw new Error('expected a failure');
}

describe('the record file', () => {
  it('keeps its cluster id and its records', async () => {
    const first = openCluster({ path });
    const { uuid } = await first.create('links', { name: 'kept' });
    first.close();
    const second = openCluster({ path });
    expect(await second.get('links', uuid)).toMatchObject({ name: 'kept' });
    expect((await second.create('links', {})).uuid.slice(0, 5)).toBe(uuid.slice(0, 5));
    second.close();
  });

  it('is named when it is not a database', () => {
    writeFileSync(path, 'this is not a database at all, just a text file of some length'.repeat(20));
    const error = failure(() => openCluster({ path }));
    expect(error.code).toBe('api/store-damaged');
    expect(error.message).toContain(path);
  });

  it('is named when it is another program’s', () => {
    const foreign = new DatabaseSync(path);
    foreign.exec('PRAGMA user_version = 7');
    foreign.close();
    expect(failure(() => openCluster({ path }))).toMatchObject({ code: 'api/store-damaged' });
  });

  it('is named when it is newer than this version', () => {
    openCluster({ path }).close();
    const raw = new DatabaseSync(path);
    raw.exec('PRAGMA user_version = 999');
    raw.close();
    const error = failure(() => openCluster({ path }));
    expect(error).toMatchObject({ code: 'api/unavailable', hint: expect.stringContaining('newer') as string });
  });

  it('is named when pages of it are overwritten', async () => {
    const cluster = openCluster({ path });
    for (let index = 0; index < 300; index += 1) {
      await cluster.create('links', { name: `link ${index}`, properties: { filler: 'x'.repeat(500) } });
    }
    cluster.store.db.get('PRAGMA wal_checkpoint(TRUNCATE)');
    cluster.close();
    const file = openSync(path, 'r+');
    for (let page = 1; page < 60; page += 1) writeSync(file, Buffer.alloc(2048, 0xa5), 0, 2048, page * 4096);
    closeSync(file);
    const read = async () => {
      const damaged = openCluster({ path });
      try {
        await damaged.list('links', { filters: [['name', 'like', '%7%']] });
      } finally {
        damaged.close();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'api/store-damaged' });
  });

  it('is unavailable when its folder is not there', () => {
    const error = failure(() => openCluster({ path: join(folder, 'nowhere', 'records.db') }));
    expect(error).toMatchObject({ code: 'api/unavailable', retryable: false });
  });

  it('says what a full disk and a lock are, and that both may pass', () => {
    const of = (errcode: number) => toStoreError(Object.assign(new Error('sqlite'), { errcode }), path);
    expect(of(13)).toMatchObject({
      code: 'api/unavailable',
      retryable: true,
      message: `no space left to write the record store ${path}`,
    });
    expect(of(5)).toMatchObject({ code: 'api/unavailable', retryable: true });
    const other = new Error('anything else');
    expect(toStoreError(other, path)).toBe(other);
  });

  it('keeps nothing of a call that failed', async () => {
    const cluster = openCluster({ path });
    const bad = cluster.create('collections', { manifest_text: '. nonsense\n' });
    await expect(bad).rejects.toMatchObject({ code: 'api/bad-attribute' });
    expect(cluster.store.db.all('SELECT * FROM changes')).toEqual([]);
    await cluster.create('links', {});
    cluster.close();
  });
});

describe('calls that come together', () => {
  it('fail alone', async () => {
    const cluster = openCluster({ path });
    const [good, bad, next] = await Promise.allSettled([
      cluster.create('links', { name: 'good' }),
      cluster.create('collections', { manifest_text: '. nonsense\n' }),
      cluster.create('links', { name: 'next' }),
    ]);
    expect([good.status, bad.status, next.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await cluster.list('links', { order: ['created_at'] })).items.map(({ name }) => name)).toEqual([
      'good',
      'next',
    ]);
    cluster.close();
  });

  it('take those along that nobody waits for', async () => {
    const cluster = openCluster({ path });
    const transactions = () => Number(cluster.store.db.get('SELECT COUNT(*) AS n FROM changes')?.n);
    const { uuid } = await cluster.create('links', {});
    const names: unknown[] = [];
    const read = async () => names.push((await cluster.get('links', uuid)).name);
    const before = transactions();
    const lazy = cluster.update('links', uuid, { name: 'lazy' }, { lazy: true }).then(read);
    await Promise.all([lazy, cluster.update('links', uuid, { link_class: 'tag' })]);
    expect(transactions()).toBe(before + 1);
    await cluster.update('links', uuid, { name: 'alone' }, { lazy: true }).then(read);
    expect(names).toEqual(['lazy', 'alone']);
    cluster.close();
  });

  it('are kept in order, also by a close that follows at once', async () => {
    const cluster = openCluster({ path });
    const made = Array.from({ length: 50 }, (_, index) => cluster.create('links', { name: String(index) }));
    cluster.close();
    await Promise.all(made);
    const again = openCluster({ path });
    const { items } = await again.list('links', { order: ['created_at'] });
    expect(items.map(({ name }) => Number(name))).toEqual(Array.from({ length: 50 }, (_, index) => index));
    again.close();
  });

  it('say that the disk is full, keep nothing half, and go on once there is room', async () => {
    const cluster = openCluster({ path });
    const filler = 'x'.repeat(4000);
    cluster.store.db.get(
      `PRAGMA max_page_count = ${Number(cluster.store.db.get('PRAGMA page_count')?.page_count) + 20}`,
    );
    const calls = Array.from({ length: 60 }, (_, index) => cluster.create('links', { name: `${index}${filler}` }));
    const results = await Promise.allSettled(calls);
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed) expect(reason).toMatchObject({ code: 'api/unavailable', retryable: true });
    expect((await cluster.list('links', {})).itemsAvailable).toBe(results.length - failed.length);
    cluster.store.db.get('PRAGMA max_page_count = 100000');
    await cluster.create('links', { name: `later${filler}` });
    expect(cluster.store.db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
    cluster.close();
  });
});

describe('changes', () => {
  it('of another connection are told, own ones once', async () => {
    const [watcher, writer] = [openCluster({ path }), openCluster({ path })];
    const seen: Uuid[] = [];
    const arrived = Promise.withResolvers<void>();
    let last: Uuid | undefined;
    const unwatch = watcher.watch(({ uuid }) => {
      seen.push(uuid);
      if (uuid === last) arrived.resolve();
    });
    const own = await watcher.create('links', {});
    const made = await writer.create('links', {});
    last = (await writer.update('links', made.uuid, { name: 'x' })).uuid;
    await arrived.promise;
    unwatch();
    expect(seen.filter((uuid) => uuid === own.uuid)).toHaveLength(1);
    expect(seen).toContain(made.uuid);
    watcher.close();
    writer.close();
  });

  it('say what of a record they changed, where it is their own', async () => {
    const cluster = openCluster({ path });
    const seen: ClusterEvent[] = [];
    const unwatch = cluster.watch((event) => seen.push(event));
    const { uuid } = await cluster.create('links', {});
    await Promise.all([
      cluster.update('links', uuid, { name: 'x' }),
      cluster.update('links', uuid, { link_class: 'tag' }),
    ]);
    unwatch();
    expect(seen).toEqual([
      { resource: 'links', uuid },
      { resource: 'links', uuid, attributes: ['name', 'link_class'] },
    ]);
    expect([['name'], ['properties']].map((names) => seen.map((event) => mayHaveChanged(event, names)))).toEqual([
      [true, true],
      [true, false],
    ]);
    cluster.close();
  });

  it('are told even when more of them happened than are kept', async () => {
    const [watcher, writer] = [openCluster({ path }), openCluster({ path })];
    await writer.create('links', {});
    const arrived = Promise.withResolvers<void>();
    let waited: Uuid | undefined;
    const unwatch = watcher.watch(({ uuid }) => {
      if (uuid === waited) arrived.resolve();
    });
    waited = (await writer.create('container_requests', {})).uuid;
    writer.store.db.run('UPDATE changes SET seq = seq + 100000');
    await arrived.promise;
    unwatch();
    watcher.close();
    writer.close();
  });
});

describe('the trash', () => {
  it('is emptied at the next start once its time has come, contents and all', async () => {
    const first = openCluster({ path });
    const manifest_text = '. acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n';
    const { uuid } = await first.create('collections', { manifest_text });
    await first.update('collections', uuid, { trash_at: '2020-01-01T00:00:00Z', delete_at: '2020-01-02T00:00:00Z' });
    first.close();
    const second = openCluster({ path });
    for (const table of ['collections', 'manifests', 'manifest_blocks']) {
      expect(second.store.db.get(`SELECT COUNT(*) AS n FROM ${table}`)).toEqual({ n: 0 });
    }
    second.close();
  });
});

describe('blocks', () => {
  it('lead to the collections that hold them', async () => {
    const cluster = openCluster({ path });
    const block = 'acbd18db4cc2f85cedef654fccc4a4d8';
    const holder = await cluster.create('collections', { manifest_text: `. ${block}+3 0:3:foo\n` });
    await cluster.create('collections', { manifest_text: '. 37b51d194a7513e45b56f6524f2d51f2+3 0:3:bar\n' });
    for (const pattern of [`%${block}%`, `%${block}+3%`, `% ${block}+3%`, '%:foo%']) {
      const page = await cluster.list('collections', { filters: [['manifest_text', 'like', pattern]] });
      expect(page.items.map((item) => item.uuid)).toEqual([holder.uuid]);
    }
    cluster.close();
  });
});

describe('times', () => {
  it.each([
    ['2026-11-22T05:20:38Z', '2026-11-22T05:20:38.000000000Z'],
    ['2026-11-22T05:20:38.1234567+02:00', '2026-11-22T03:20:38.123456700Z'],
    ['2026-11-22 05:20:38', '2026-11-22T05:20:38.000000000Z'],
    ['yesterday', undefined],
  ])('%s', (text, stored) => expect(toStoredTime(text)).toBe(stored));

  it('add up to the nanosecond', () => {
    expect(addSeconds('2026-12-31T23:59:59.000000001Z', 1)).toBe('2027-01-01T00:00:00.000000001Z');
  });
});
