import { describe, expect, it } from 'vitest';
import { parseJson, readInteger } from './integers.ts';
import { toCanonicalJson } from './json.ts';

describe('integers', () => {
  it.each<[string, number | bigint]>([
    ['5', 5],
    ['+5', 5],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['+9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['9223372036854775807', 9223372036854775807n],
    ['0x20000000000001', 9007199254740993n],
    ['1152921504606846976', 2n ** 60n],
    [`1${'0'.repeat(50)}`, 1e50],
  ])('%s', (text, value) => expect(readInteger(text)).toBe(value));

  it('go through JSON as they are', () => {
    const text = '{"a":[9007199254740993,1.5,1234567890123456.5,"9007199254740993"],"b":{"c":-9223372036854775807}}';
    const value = parseJson(text) as { a: unknown[]; b: unknown };
    expect(value.a).toEqual([9007199254740993n, 1.5, 1234567890123456.5, '9007199254740993']);
    expect(JSON.parse(JSON.stringify(value))).toEqual(JSON.parse(text));
    expect(JSON.stringify({ a: 9007199254740993n })).toBe('{"a":9007199254740993}');
    expect(toCanonicalJson(value.b)).toBe('{"c":-9223372036854775807}');
  });
});
