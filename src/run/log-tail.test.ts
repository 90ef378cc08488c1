import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunKit, type RunKit } from '../../test/fakes/run-kit.ts';
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

  it('are none where the log or the file is not there', async () => {
    const { portable_data_hash } = await kit.collection({ 'stdout.txt': 'a' });
    expect(await lastLines(kit, portable_data_hash, 'stderr.txt', 3)).toEqual([]);
    expect(await lastLines(kit, `${'0'.repeat(32)}+61` as PortableDataHash, 'stderr.txt', 3)).toEqual([]);
  });
});
