import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerOf, hostRequest, lock, start } from '../../test/fakes/cluster-work.ts';
import { createRunKit, type RunKit } from '../../test/fakes/run-kit.ts';
import type { ClusterApi } from '../api/port.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { lastLines } from './log-tail.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const tail = async (text: string, count = 3) =>
  lastLines(kit, (await kit.collection({ 'stderr.txt': text })).portable_data_hash, 'stderr.txt', count);
const time = '2026-11-22T05:20:38.000000001Z ';

describe('the last lines of a log', () => {
  it.each<[string, string, string[]]>([
    ['come without their times', `${time}one\n${time}two\n`, ['one', 'two']],
    ['are the last ones', 'a\nb\nc\nd\n', ['b', 'c', 'd']],
    ['hold the last one, ended or not', 'a\nb', ['a', 'b']],
    ['leave out empty ones', 'a\n\n\nb\n\n', ['a', 'b']],
    ['keep what only looks like a time', '2026 was good\n', ['2026 was good']],
    ['are none of an empty file', '', []],
  ])('%s', async (_what, text, lines) => {
    expect(await tail(text)).toEqual(lines);
  });

  it('begin with a whole line where the file is long', async () => {
    const lines = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(3000)}`);
    const got = await tail(`${lines.join('\n')}\n`, 1000);
    expect(got.length).toBeGreaterThan(10);
    expect(got).toEqual(lines.slice(-got.length));
  });

  it('come from the log that the request keeps, where that of the container is not ours to read', async () => {
    const request = await kit.api.create('container_requests', hostRequest());
    const uuid = containerOf(request);
    await lock(kit.api, uuid);
    await start(kit.api, uuid);
    const { portable_data_hash: log } = await kit.collection({ 'stderr.txt': 'kept\n' });
    const output = log;
    await kit.api.update('containers', uuid, { state: 'Complete', exit_code: 1, output, log });
    const list: ClusterApi['list'] = async (resource, query) =>
      resource === 'collections' ? { items: [], itemsAvailable: 0 } : kit.api.list(resource, query);
    expect(await lastLines({ ...kit, api: { ...kit.api, list } }, log, 'stderr.txt', 3)).toEqual(['kept']);
  });

  it('are none where the log or the file is not there', async () => {
    const { portable_data_hash } = await kit.collection({ 'stdout.txt': 'a' });
    expect(await lastLines(kit, portable_data_hash, 'stderr.txt', 3)).toEqual([]);
    expect(await lastLines(kit, `${'0'.repeat(32)}+61` as PortableDataHash, 'stderr.txt', 3)).toEqual([]);
  });
});
