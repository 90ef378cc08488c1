import { describe, expect, it } from 'vitest';
import { toCanonicalJson } from './json.ts';
import { bigintText, parseJson, readFloat, readInteger, toNumber } from './numbers.ts';

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

describe('floats', () => {
  it.each<[string, number | bigint, string]>([
    ['1.0', 1n, '1.0'],
    ['-2.', -2n, '-2.0'],
    ['1E+2', 100, '100'],
    ['1.0e2', 100, '100'],
    ['0.0', 0n, '0.0'],
    ['1.5', 1.5, '1.5'],
    ['1e-7', 1e-7, '1e-7'],
    ['1e23', 1e23, '1e+23'],
    ['9007199254740993.0', 9007199254740992, '9007199254740992'],
  ])('%s', (text, value, written) => {
    expect(readFloat(text)).toBe(value);
    expect(JSON.stringify(value)).toBe(written);
  });

  it('are told from integers in JSON, and text is left alone', () => {
    const text = '{"a":[1.0, 2,-3.00\n],"b":"1.0, 5e1","c":1e3,"d":{"e":0.0}}';
    expect(parseJson(text)).toEqual({ a: [1n, 2, -3n], b: '1.0, 5e1', c: 1000, d: { e: 0n } });
    expect(parseJson('4.0')).toBe(4n);
    expect(JSON.stringify(parseJson(text))).toBe('{"a":[1.0,2,-3.0],"b":"1.0, 5e1","c":1000,"d":{"e":0.0}}');
  });

  it('are numbers to arithmetic', () => {
    expect([toNumber(4n), toNumber(4), toNumber('4')]).toEqual([4, 4, '4']);
    expect([bigintText(4n), bigintText(2n ** 53n)]).toEqual(['4.0', '9007199254740992']);
  });
});
