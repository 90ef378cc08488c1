import { describe, expect, it } from 'vitest';
import { createSource, field, positionOf, toJson } from './node.ts';
import { defaultParseLimits, parseSource } from './parse.ts';

const parse = (text: string, limits = {}) =>
  parseSource(createSource('file:///a.cwl', text), { ...defaultParseLimits, ...limits });
const failure = (text: string, limits = {}) => {
  try {
    parse(text, limits);
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
};

describe('parseSource', () => {
  // As ruamel.yaml in its YAML 1.2 mode, which cwltool reads with.
  it.each([
    ['yes', 'yes'],
    ['on', 'on'],
    ['True', true],
    ['FALSE', false],
    ['tRUE', 'tRUE'],
    ['~', null],
    ['', null],
    ['010', 10],
    ['0o10', 8],
    ['0x1F', 31],
    ['1e3', 1000],
    ['.5', 0.5],
    ['+12', 12],
    ['2001-01-01', '2001-01-01'],
    ['12:30:45', '12:30:45'],
    ['1.2.3', '1.2.3'],
    ['.inf', Infinity],
    ['"10"', '10'],
    ["'true'", 'true'],
    ['!!str 10', '10'],
    ['!!int "10"', 10],
    ['=', '='],
    ['|\n  two\n  lines\n', 'two\nlines\n'],
  ])('reads %j', (text, expected) => {
    expect(toJson(parse(text))).toEqual(expected);
  });

  it('reads JSON, tabs included', () => {
    expect(toJson(parse('{\n\t"a": [1, {"b": null}],\n\t"c": "\\u00e9"\n}'))).toEqual({ a: [1, { b: null }], c: 'é' });
  });

  it('takes brackets and quotes that end further left than the block around them', () => {
    const root = parse('a: {\n  "x": [\n1,\n],\n}\nb: "two\nwords"\nc: here\n');
    expect(toJson(root)).toEqual({ a: { x: [1] }, b: 'two words', c: 'here' });
    const value = field(root, 'c');
    expect(value && positionOf(value)).toEqual({ file: '/a.cwl', line: 8, column: 4 });
    const list = field(field(root, 'a'), 'x');
    const item = list?.kind === 'list' ? list.items[0] : undefined;
    expect(item && positionOf(item)).toEqual({ file: '/a.cwl', line: 3, column: 1 });
    expect(failure('a: {\n}\nb: ]')).toMatchObject({ code: 'cwl/bad-yaml', where: { line: 3 } });
    expect(failure('a: "x"\nb: "y\nc: it\'s\nd: \'z\'\n')).toMatchObject({
      message: 'bad YAML: a double quoted text begins here and has no end',
      where: { line: 2, column: 4 },
    });
    expect(failure("a: {b: 'x, c: y}\n")).toMatchObject({ where: { line: 1, column: 8 } });
    expect(failure('inputs: {x: File[]?, y: int}')).toMatchObject({
      hint: 'inside { } and [ ] it takes quotes: "File[]?"',
      where: { line: 1, column: 17 },
    });
  });

  it('knows where keys and values stand', () => {
    const root = parse('a: 1\nb:\n  - x\n  - c: é\n    d: here\n');
    const list = field(root, 'b');
    const item = list?.kind === 'list' ? list.items[1] : undefined;
    const value = field(item, 'd');
    expect(value && positionOf(value)).toEqual({ file: '/a.cwl', line: 5, column: 8 });
    const entry = item?.kind === 'map' ? item.entries.get('d') : undefined;
    expect(entry && [entry.keyStart, entry.keyEnd]).toEqual([27, 28]);
  });

  it('shares what aliases name, and merges', () => {
    expect(toJson(parse('a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [*x, {r: 4}]}'))).toEqual({
      a: { p: 1, q: 2 },
      b: { p: 1, q: 2 },
      c: { q: 3, p: 1 },
      d: { p: 1, q: 2, r: 4 },
    });
  });

  it.each([
    ['a: 1\na: 2', 'duplicate key "a"'],
    ['{"a": 1, "a": 2}', 'duplicate key "a"'],
    ['a: {__proto__: {b: 1}}', '"__proto__" is not allowed'],
    ['? [a]\n: 1', 'expected a scalar as key'],
    ['a: *b', 'unknown alias "b"'],
    ['a: &x\n  b: *x', 'unknown alias "x"'],
    ['a: !!python/object:os.system x', 'unknown tag'],
    ['a: !!int x', 'fits the tag'],
    ['a: 1\n---\nb: 2', 'expected one document'],
    ['a: [1, 2', 'bad YAML'],
    ['a: "x', 'bad YAML'],
    ['a: {<<: 1}', 'expected a mapping to merge'],
  ])('refuses %j', (text, message) => {
    expect(failure(text)).toMatchObject({
      code: 'cwl/bad-yaml',
      message: expect.stringContaining(message),
      where: { file: '/a.cwl', line: expect.any(Number), column: expect.any(Number) },
    });
  });

  it('refuses bombs made of aliases, quickly', () => {
    let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
    for (let level = 1; level < 10; level += 1) text += `a${level}: &a${level} [${`*a${level - 1}, `.repeat(10)}]\n`;
    expect(failure(text)).toMatchObject({
      code: 'cwl/yaml-limit',
      message: expect.stringContaining('aliases expanded'),
    });
  });

  it('refuses what is too deep or too large', () => {
    expect(failure('['.repeat(5000))).toMatchObject({
      code: 'cwl/yaml-limit',
      message: expect.stringContaining('nesting'),
    });
    expect(failure('a: 1234567', { textLength: 5 })).toMatchObject({ code: 'cwl/yaml-limit' });
    expect(failure('[1, 2, 3]', { nodes: 2 })).toMatchObject({ code: 'cwl/yaml-limit' });
  });
});
