import { describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import type { CwlValue } from '../../cwl/values.ts';
import { type Link, linkValue } from './links.ts';

const values: Record<string, CwlValue> = { one: 1, list: [2, 3], none: null, nulls: [null, 4, null] };
const link = (source: readonly string[], fields: Partial<Link> = {}): Link => ({
  name: 'sink',
  source,
  sourceIsList: source.length > 1,
  linkMerge: 'merge_nested',
  ...fields,
});
const resolve = (from: Link) => linkValue(from, (source) => values[source] ?? null);

describe('links', () => {
  it.each<[Link, CwlValue]>([
    [link([]), null],
    [link(['one']), 1],
    [link(['list'], { sourceIsList: true }), [[2, 3]]],
    [link(['one', 'list']), [1, [2, 3]]],
    [link(['one', 'list'], { linkMerge: 'merge_flattened' }), [1, 2, 3]],
    [link(['none', 'one'], { pickValue: 'first_non_null' }), 1],
    [link(['none', 'one'], { pickValue: 'the_only_non_null' }), 1],
    [link(['none', 'one', 'list'], { pickValue: 'all_non_null' }), [1, [2, 3]]],
    [link(['nulls'], { pickValue: 'all_non_null' }), [4]],
    [link(['one'], { pickValue: 'first_non_null' }), 1],
  ])('%j gives %j', (from, expected) => expect(resolve(from)).toEqual(expected));

  it.each([
    [link(['none', 'none'], { pickValue: 'first_non_null' }), /expected a value that is not null, got 0 of 2/],
    [
      link(['one', 'one'], { pickValue: 'the_only_non_null' }),
      /expected exactly one value that is not null, got 2 of 2/,
    ],
  ])('%j fails', (from, message) => {
    expect(() => resolve(from)).toThrowError(withCode('job/bad-link', message) as never);
    const position = { file: 'w.cwl', line: 3, column: 5 };
    expect(() => resolve({ ...from, position })).toThrowError(expect.objectContaining({ where: position }));
  });
});
