import { describe, expect, it } from 'vitest';
import { loadInline } from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';
import { formatInputHelp, readInputFlags } from './input-flags.ts';

const load = (inputs: JsonValue, more = {}) =>
  loadInline({ class: 'CommandLineTool', baseCommand: 'x', inputs, outputs: {}, ...more });
const read = async (inputs: JsonValue, ...args: string[]) => readInputFlags(await load(inputs), args, '/home/ada');
const enumType = { type: 'enum', symbols: ['fast', 'slow'] };
const record = { type: 'record', fields: { a: 'int' } };

describe('a value', () => {
  it.each<[JsonValue, string[], unknown]>([
    ['string', ['--x', 'a b'], 'a b'],
    ['string', ['--x=a=b'], 'a=b'],
    ['string', ['--x='], ''],
    ['string', ['--x', '--y'], '--y'],
    ['string', ['-x', '5'], '5'],
    ['string?', ['--x', 'null'], 'null'],
    ['int', ['--x', '-3'], -3],
    ['long', ['--x=9007199254740991'], 9007199254740991],
    ['double', ['--x', '1e-3'], 0.001],
    ['double', ['--x', '1.0'], 1n],
    ['double', ['--x', '1'], 1],
    ['boolean', ['--x'], true],
    ['boolean', ['--no-x'], false],
    ['boolean?', ['--x=false'], false],
    ['File', ['--x', 'sub/a#b.txt'], { class: 'File', location: 'file:///home/ada/sub/a%23b.txt' }],
    ['File', ['--x', '/data/a.txt'], { class: 'File', location: 'file:///data/a.txt' }],
    ['File', ['--x', 'https://h.example/a'], { class: 'File', location: 'https://h.example/a' }],
    ['File', ['--x', `keep:${'0'.repeat(32)}+61/a`], { class: 'File', location: `keep:${'0'.repeat(32)}+61/a` }],
    ['Directory', ['--x', '.'], { class: 'Directory', location: 'file:///home/ada' }],
    ['string[]', ['--x', 'a', '--x=b'], ['a', 'b']],
    ['int[]?', ['--x', '1', '--x', '2'], [1, 2]],
    [{ type: enumType }, ['--x', 'fast'], 'fast'],
    [{ type: record }, ['--x', '{"a": 1}'], { a: 1 }],
    [{ type: ['int', 'string'] }, ['--x', '7'], 7],
    [{ type: ['int', 'string'] }, ['--x', 'seven'], 'seven'],
    ['Any', ['--x', '[1, 2]'], [1, 2]],
  ])('of type %j from %j', async (type, args, value) => {
    expect(await read({ x: type }, ...args)).toEqual({ x: value });
  });

  it('of an input whose name begins with no- is its own', async () => {
    expect(await read({ 'no-x': 'boolean', x: 'boolean' }, '--no-x')).toEqual({ 'no-x': true });
  });

  it('is the last one given', async () => {
    expect(await read({ x: 'int' }, '--x', '1', '--x', '2')).toEqual({ x: 2 });
  });
});

describe('a mistake', () => {
  it.each<[JsonValue, string[], string]>([
    ['int', ['--x', '1.5'], '--x: expected a whole number, got "1.5"'],
    ['int', ['--x', ''], '--x: expected a whole number, got ""'],
    ['float', ['--x', 'much'], '--x: expected a number, got "much"'],
    ['boolean', ['--x=maybe'], '--x: expected true or false, got "maybe"'],
    ['int[]', ['--x', 'a'], '--x: expected a whole number, got "a"'],
    [{ type: record }, ['--x', '{'], '--x: expected {a: int} as JSON, got "{"'],
    ['File?', ['--x'], '--x: expected a value of type File?, got none'],
    ['string', ['--y', '1'], '--y is neither a flag nor an input of the document'],
    ['string', ['--no-x'], '--no-x is neither a flag nor an input of the document'],
    ['string', ['stray'], 'expected --INPUT VALUE, got "stray"'],
  ])('with type %j: %j', async (type, args, message) => {
    await expect(read({ x: type }, ...args)).rejects.toMatchObject({ code: 'cli/usage', message });
  });

  it('lists the inputs that there are', async () => {
    await expect(read({ a: 'int', b: 'int' }, '--c', '1')).rejects.toMatchObject({ hint: 'its inputs are --a, --b' });
    await expect(read({ reads: 'int' }, '--read', '1')).rejects.toMatchObject({ hint: 'did you mean --reads?' });
    await expect(read({ reads: 'int' }, '--oudir', '1')).rejects.toMatchObject({ hint: 'did you mean --outdir?' });
    await expect(read({}, '--c')).rejects.toMatchObject({ hint: 'its inputs are none' });
  });
});

describe('the help of a document', () => {
  it('has a line for each input: name, type, what it is, default', async () => {
    const tool = await load(
      {
        reads: { type: 'File[]', doc: 'The reads.\nMore about them.' },
        mode: { type: [enumType, 'null'], label: 'how' },
        n: { type: 'int', default: 4 },
      },
      { label: 'Aligns reads' },
    );
    expect(formatInputHelp(tool).split('\n')).toEqual([
      'Aligns reads',
      '',
      'Inputs of the document:',
      '  --reads                  File[]  The reads.',
      '  --mode                   fast|slow?  how',
      '  --n                      int (default: 4)',
    ]);
  });

  it.each<[JsonValue, string]>([
    [['null', 'int', 'string'], 'int | string?'],
    [{ type: 'array', items: { type: 'array', items: 'int' } }, 'int[][]'],
    [{ type: 'record', fields: { a: 'File', b: 'string?' } }, '{a: File, b: string?}'],
  ])('writes %j as %s', async (type, text) => {
    expect(
      formatInputHelp(await load({ x: { type } }))
        .split('\n')
        .at(-1),
    ).toBe(`  --x                      ${text}`);
  });
});
