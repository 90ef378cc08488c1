import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { complete, containerOf, hostRequest, lock, start } from '../../../test/fakes/cluster-work.ts';
import type { Container, ContainerRequest } from '../../api/records.ts';
import type { Uuid } from '../../core/ids.ts';
import { silentLogger } from '../../core/logger.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import { recoverAbandoned } from './recover.ts';

let folder: string;
let cluster: Cluster;
let dispatcher: Dispatcher | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-dispatch-'));
  cluster = openCluster({ path: join(folder, 'records.db') });
});
afterEach(async () => {
  await dispatcher?.stop();
  dispatcher = undefined;
  cluster.close();
  rmSync(folder, { recursive: true });
});

const submit = (command: string, more: Partial<ContainerRequest> = {}) =>
  cluster.create('container_requests', hostRequest({ command: [command], ...more }));

function dispatch(runContainer: DispatcherOptions['runContainer'], more: Partial<DispatcherOptions> = {}) {
  const capacity = { ramBytes: 4 << 20, vcpus: 4 };
  dispatcher = createDispatcher({ cluster, capacity, logger: silentLogger, runContainer, ...more });
  return dispatcher;
}

const runAtOnce = async (container: Container) => {
  await start(cluster, container.uuid);
  await complete(cluster, container.uuid);
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Resolves when the request is final. */
async function final(request: { uuid: Uuid }): Promise<ContainerRequest> {
  for (;;) {
    const current = await cluster.get('container_requests', request.uuid);
    if (current.state === 'Final') return current;
    await new Promise<void>((resolve) => {
      const unwatch = cluster.watch(() => {
        unwatch();
        resolve();
      });
    });
  }
}

describe('the dispatcher', () => {
  it('runs what its session asks for, by priority and then by age', async () => {
    const ran: string[] = [];
    const low = await submit('low', { priority: 1 });
    await submit('high', { priority: 900 });
    await submit('middle', { priority: 500 });
    await submit('middle too', { priority: 500 });
    dispatch(
      async (container) => {
        ran.push(container.command.join());
        await runAtOnce(container);
      },
      { maxConcurrent: 1 },
    );
    await final(low);
    expect(ran).toEqual(['high', 'middle', 'middle too', 'low']);
  });

  it('starts the next while what an ended one left is saved, but no more such than sixteen', async () => {
    const names = Array.from({ length: 24 }, (_, n) => String(n));
    const started: string[] = [];
    const saved = Promise.withResolvers<void>();
    const made = await Promise.all(names.map((name) => submit(name, { runtime_constraints: { ram: 1, vcpus: 2 } })));
    dispatch(
      async (container, _signal, onEnded) => {
        started.push(container.command.join());
        await start(cluster, container.uuid);
        onEnded();
        await saved.promise;
        await complete(cluster, container.uuid);
      },
      { capacity: { ramBytes: 4 << 20, vcpus: 2 } },
    );
    while (started.length < 17) await turn();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(started).toEqual(names.slice(0, 17));
    saved.resolve();
    await Promise.all(made.map(final));
    expect(started).toEqual(names);
  });

  it('hands over a follower of each that runs, whose turn comes when that one has ended', async () => {
    const names = Array.from({ length: 7 }, (_, n) => String(n));
    const [ready, begun]: [string[], string[]] = [[], []];
    const ends = new Map<string, () => void>();
    const made = await Promise.all(names.map((name) => submit(name, { runtime_constraints: { ram: 1, vcpus: 1 } })));
    dispatch(
      async (container, signal, onEnded, turn) => {
        const name = container.command.join();
        ready.push(name);
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await Promise.race([turn, aborted]);
        if (signal.aborted) return;
        begun.push(name);
        await start(cluster, container.uuid);
        await new Promise<void>((resolve) => ends.set(name, resolve));
        onEnded();
        await complete(cluster, container.uuid);
      },
      { capacity: { ramBytes: 4 << 20, vcpus: 2 }, ahead: true },
    );
    while (ready.length < 4 || ends.size < 2) await turn();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect([ready, begun]).toEqual([names.slice(0, 4), ['0', '1']]);
    ends.get('1')?.();
    while (ends.size < 3 || ready.length < 5) await turn();
    expect([ready, begun]).toEqual([names.slice(0, 5), ['0', '1', '3']]);
    const [, , unwanted] = made;
    if (unwanted === undefined) throw new Error('there are seven');
    await cluster.update('container_requests', unwanted.uuid, { priority: 0 });
    await final(unwanted);
    while (ready.length < 6) await turn();
    for (const name of ['0', '3', '4', '5', '6']) {
      while (!ends.has(name)) await turn();
      ends.get(name)?.();
    }
    await Promise.all(made.map(final));
    expect(begun).toEqual(['0', '1', '3', ...begun.slice(3)]);
    expect(begun.slice(3).sort()).toEqual(['4', '5', '6']);
  });

  it('puts followers back that wait when it stops', async () => {
    const made = await Promise.all(
      ['0', '1'].map((name) => submit(name, { runtime_constraints: { ram: 1, vcpus: 2 } })),
    );
    const handed: string[] = [];
    const stopping = dispatch(
      async (container, signal, _onEnded, turn) => {
        handed.push(container.command.join());
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await Promise.race([turn.then(() => aborted), aborted]);
      },
      { capacity: { ramBytes: 4 << 20, vcpus: 2 }, ahead: true },
    );
    while (handed.length < 2) await turn();
    await stopping.stop();
    const containers = await Promise.all(made.map((request) => cluster.get('containers', containerOf(request))));
    expect(containers.map(({ state }) => state)).toEqual(['Queued', 'Queued']);
  });

  it('hands over locked containers and never exceeds the capacity', async () => {
    let vcpus = 0;
    let most = 0;
    const made = await Promise.all(
      [1, 2, 3, 1, 2, 4, 1].map((n, index) => submit(String(index), { runtime_constraints: { ram: 1, vcpus: n } })),
    );
    dispatch(async (container) => {
      expect(container).toMatchObject({ state: 'Locked', locked_by_uuid: cluster.store.session.uuid });
      vcpus += container.runtime_constraints.vcpus;
      most = Math.max(most, vcpus);
      await new Promise((resolve) => setImmediate(resolve));
      vcpus -= container.runtime_constraints.vcpus;
      await runAtOnce(container);
    });
    await Promise.all(made.map(final));
    expect(most).toBeLessThanOrEqual(4);
  });

  it('runs together what fits with parts of cores, to the last one', async () => {
    const started: string[] = [];
    const all = Promise.withResolvers<void>();
    const more = { runtime_constraints: { ram: 1, vcpus: 1 }, scheduling_parameters: { 'hm:cores': 0.01 } };
    const names = Array.from({ length: 201 }, (_, n) => String(n));
    const made = await Promise.all(names.map((name) => submit(name, more)));
    dispatch(
      async (container) => {
        started.push(container.command.join());
        await start(cluster, container.uuid);
        await all.promise;
        await complete(cluster, container.uuid);
      },
      { capacity: { ramBytes: 4 << 20, vcpus: 2 } },
    );
    while (started.length < 200) await turn();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(started).toEqual(names.slice(0, 200));
    all.resolve();
    await Promise.all(made.map(final));
    expect(started).toEqual(names);
    const container = await cluster.get('containers', containerOf(made[0] as ContainerRequest));
    expect(container).toMatchObject(more);
  });

  it('keeps room for a large container that small ones would pass for ever', async () => {
    let passes = 0;
    let largeRan = false;
    const small = (index: number) => submit(`small ${index}`, { runtime_constraints: { ram: 1, vcpus: 1 } });
    for (let index = 0; index < 3; index += 1) await small(index);
    const large = await submit('large', { runtime_constraints: { ram: 1, vcpus: 4 } });
    for (let index = 3; index < 60; index += 1) await small(index);
    dispatch(async (container) => {
      if (container.command[0] === 'large') largeRan = true;
      else if (!largeRan) passes += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
      await runAtOnce(container);
    });
    await final(large);
    expect(passes).toBeLessThan(30);
  });

  it('runs a container alone that asks for more than the machine has, with a warning', async () => {
    const made = await submit('huge', { runtime_constraints: { ram: 1 << 30, vcpus: 64 } });
    dispatch(runAtOnce);
    await final(made);
    const container = await cluster.get('containers', containerOf(made));
    expect(container).toMatchObject({ state: 'Complete' });
    expect(container.runtime_status.warning).toMatch(
      /asks for 1024 MiB of memory and 64 cores, this machine has 4 MiB/,
    );
  });

  it('fails such a container at once where that is asked for', async () => {
    const made = await submit('huge', { runtime_constraints: { ram: 1 << 30, vcpus: 1 } });
    dispatch(runAtOnce, { whenTooLarge: 'fail' });
    expect(await final(made)).toMatchObject({ container_count: 1 });
    const container = await cluster.get('containers', containerOf(made));
    expect(container.runtime_status.error).toMatch(/asks for 1024 MiB .* this machine has 4 MiB/);
  });

  it('aborts what no request wants any more', async () => {
    const started = Promise.withResolvers<void>();
    const made = await submit('long');
    dispatch(async (container, signal) => {
      await start(cluster, container.uuid);
      started.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    await started.promise;
    await cluster.update('container_requests', made.uuid, { priority: 0 });
    await final(made);
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({ state: 'Cancelled', exit_code: null });
  });

  it('ends what its runner leaves unfinished, and tries it again', async () => {
    const made = await submit('broken', { container_count_max: 2 });
    dispatch(async (container) => {
      await start(cluster, container.uuid);
      throw new Error('the engine fell over');
    });
    expect(await final(made)).toMatchObject({ container_count: 2, output_uuid: null });
    const page = await cluster.list('containers', {});
    expect(page.items.map((item) => item.runtime_status.error)).toEqual([
      'the engine fell over',
      'the engine fell over',
    ]);
  });

  it('gives up on what never starts', async () => {
    let attempts = 0;
    const made = await submit('unstartable');
    dispatch(async () => {
      attempts += 1;
      throw new Error('no such engine');
    });
    await final(made);
    expect(attempts).toBe(5);
    const container = await cluster.get('containers', containerOf(made));
    expect(container.runtime_status.error).toMatch(/given up after 5 attempts, the last: no such engine/);
  });

  it('stops cleanly: aborts, waits, and puts back what had not started', async () => {
    const made = await submit('long');
    const begun = Promise.withResolvers<void>();
    const stopping = dispatch(async (_container, signal) => {
      begun.resolve();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    });
    await begun.promise;
    await stopping.stop();
    expect(stopping.running()).toEqual([]);
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({ state: 'Queued', locked_by_uuid: null });
  });

  it('puts back what it was locking when it is stopped', async () => {
    const made = await submit('late');
    let hasRun = false;
    const stopping = dispatch(async () => {
      hasRun = true;
    });
    await turn();
    await stopping.stop();
    expect(hasRun).toBe(false);
    const container = await cluster.get('containers', containerOf(made));
    expect(container).toMatchObject({ state: 'Queued', locked_by_uuid: null, lock_count: 1 });
  });

  it('leaves alone what only other sessions wait for, unless it serves all', async () => {
    const other = openCluster({ path: join(folder, 'records.db') });
    const foreign = await other.create('container_requests', hostRequest({ command: ['foreign'] }));
    const ran: string[] = [];
    const note = async (container: Container) => {
      ran.push(container.command.join());
      await runAtOnce(container);
    };
    const own = dispatch(note);
    await final(await submit('own'));
    expect(ran).toEqual(['own']);
    await own.stop();
    dispatch(note, { scope: 'all' });
    await final(foreign);
    expect(ran).toEqual(['own', 'foreign']);
    other.close();
  });

  it('leaves room to another session that waits and has less', async () => {
    const other = openCluster({ path: join(folder, 'records.db') });
    const capacity = { ramBytes: 4 << 20, vcpus: 2 };
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const runIn =
      (api: Cluster): DispatcherOptions['runContainer'] =>
      async (container, _signal, onEnded, turn) => {
        await turn;
        await start(api, container.uuid);
        begun.push(container.command.join());
        await new Promise<void>((resolve) => ends.push(resolve));
        onEnded();
        await complete(api, container.uuid);
      };
    const many = await Promise.all(Array.from({ length: 12 }, (_, n) => submit(`many ${n}`)));
    dispatch(runIn(cluster), { capacity, ahead: true });
    while (begun.length < 2) await turn();
    const late = createDispatcher({ cluster: other, capacity, logger: silentLogger, runContainer: runIn(other) });
    const one = await other.create('container_requests', hostRequest({ command: ['one'] }));
    const waits = 'SELECT 1 FROM sessions WHERE waiting_since IS NOT NULL AND uuid = ?';
    while (!cluster.store.db.get(waits, other.store.session.uuid)) await sleep(1);
    for (let count = 3; count <= 13; count += 1) {
      ends.shift()?.();
      while (begun.length < count) await turn();
    }
    for (const end of ends) end();
    await Promise.all([...many, one].map(final));
    // Two ran, two were to follow them.
    expect(begun.indexOf('one')).toBeLessThanOrEqual(4);
    await late.stop();
    other.close();
  });

  it('waits for no session that has not said for a while that it waits', async () => {
    const { db } = cluster.store;
    const made = await submit('mine');
    db.run(
      "INSERT INTO sessions SELECT 'silent', pid, process_start, machine, '2026', unixepoch() + 999 FROM sessions",
    );
    const ran: string[] = [];
    dispatch(async (container) => {
      ran.push(container.command.join());
      await runAtOnce(container);
    });
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(ran).toEqual([]);
    db.run("UPDATE sessions SET waiting_until = unixepoch() - 1 WHERE uuid = 'silent'");
    await final(made);
    expect(ran).toEqual(['mine']);
  });

  it('puts back the locked containers of a session that is gone', async () => {
    const made = await submit('left');
    const other = openCluster({ path: join(folder, 'records.db') });
    await lock(other, containerOf(made));
    recoverAbandoned(cluster.store, silentLogger);
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({ state: 'Locked' });
    other.close();
    recoverAbandoned(cluster.store, silentLogger);
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({ state: 'Queued', lock_count: 1 });
  });

  it('does as soon as it can what the record file refused, and tells when that lasts', async () => {
    const request = await submit('waits');
    const locked = new DatabaseSync(join(folder, 'records.db'));
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (text: string) => void errors.push(text) };
    refuseWrites(locked);
    const { failed } = dispatch(runAtOnce, { logger, retryMs: 20 });
    await sleep(60);
    allowWrites(locked);
    expect(await final(request)).toMatchObject({ state: 'Final' });
    expect([failed.aborted, errors]).toEqual([false, ['dispatcher: no room']]);

    refuseWrites(locked, "UPDATE OF state ON containers WHEN NEW.state IN ('Complete', 'Cancelled')");
    await submit('cannot end');
    await new Promise((resolve) => failed.addEventListener('abort', resolve));
    expect(String(failed.reason)).toContain('no room');
    allowWrites(locked);
    locked.close();
  });
});

/** What a full disk would do, at one place. */
function refuseWrites(db: DatabaseSync, when = "UPDATE OF state ON containers WHEN NEW.state = 'Locked'"): void {
  db.exec(`CREATE TRIGGER refuse BEFORE ${when} BEGIN SELECT RAISE(ABORT, 'no room'); END`);
}
const allowWrites = (db: DatabaseSync): void => db.exec('DROP TRIGGER refuse');
