import { describe, expect, it } from 'vitest';
import { loadTool, prepareJob, withCode } from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';
import { mib } from '../../core/units.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { formatNumber } from './command-arguments.ts';

type Fields = { readonly [field: string]: JsonValue };

const commandOf = async (fields: Fields, inputs: CwlObject = {}): Promise<readonly string[]> =>
  (await prepareJob(await loadTool(fields), inputs)).job.command;

/** One input `x` of the type, its binding, its value, and the words after `tool`. */
const bindings: readonly (readonly [string, JsonValue, Fields, CwlObject[string], readonly string[]])[] = [
  ['a string', 'string', {}, 'a b', ['a b']],
  ['an empty string', 'string', { prefix: '-x' }, '', ['-x', '']],
  ['a prefix', 'int', { prefix: '-x' }, 3, ['-x', '3']],
  ['a joined prefix', 'int', { prefix: '-x=', separate: false }, 3, ['-x=3']],
  ['true', 'boolean', { prefix: '-x' }, true, ['-x']],
  ['true without a prefix', 'boolean', {}, true, []],
  ['false', 'boolean', { prefix: '-x' }, false, []],
  ['null', 'string?', { prefix: '-x', valueFrom: 'never' }, null, []],
  ['a small float', 'float', {}, 0.00001, ['0.00001']],
  ['a whole float as it was written', 'float', {}, 1n, ['1.0']],
  ['whole doubles, joined', 'double[]', { itemSeparator: ',' }, [1n, 2, 2.5], ['1.0,2,2.5']],
  ['a large double', 'double', {}, 1e42, [`1${'0'.repeat(42)}`]],
  ['items', 'string[]', { prefix: '-x' }, ['a', 'b'], ['-x', 'a', 'b']],
  ['no items', 'string[]', { prefix: '-x' }, [], []],
  ['joined items', 'string[]', { prefix: '-x', itemSeparator: ',' }, ['a', 'b'], ['-x', 'a,b']],
  ['joined items, joined prefix', 'int[]', { prefix: '-x=', separate: false, itemSeparator: ':' }, [1, 2], ['-x=1:2']],
  [
    'items with a prefix each',
    { type: 'array', items: 'int', inputBinding: { prefix: '-i' } },
    {},
    [1, 2],
    ['-i', '1', '-i', '2'],
  ],
  [
    'prefix around prefixes',
    { type: 'array', items: 'int', inputBinding: { prefix: '-i' } },
    { prefix: '-x' },
    [1],
    ['-x', '-i', '1'],
  ],
  ['an enum', { type: 'enum', symbols: ['a', 'b'] }, { prefix: '-x' }, 'b', ['-x', 'b']],
  [
    'the branch that fits',
    ['null', 'int', { type: 'array', items: 'int', inputBinding: { prefix: '-i' } }],
    {},
    [7],
    ['-i', '7'],
  ],
  [
    'a record',
    {
      type: 'record',
      fields: [
        { name: 'b', type: 'int', inputBinding: { prefix: '-b' } },
        { name: 'a', type: 'int', inputBinding: {} },
      ],
    },
    { prefix: '-r' },
    { a: 1, b: 2 },
    ['-r', '1', '-b', '2'],
  ],
  [
    'fields by position',
    {
      type: 'record',
      fields: [
        { name: 'a', type: 'int', inputBinding: { position: 2 } },
        { name: 'b', type: 'int', inputBinding: { position: 1 } },
      ],
    },
    {},
    { a: 1, b: 2 },
    ['2', '1'],
  ],
  ['Any with a list', 'Any', {}, ['a', 'b'], ['a', 'b']],
  ['valueFrom with self', 'string', { valueFrom: '$(self).$(inputs.x)' }, 'a', ['a.a']],
  ['valueFrom in place of items', 'int[]', { prefix: '-x', valueFrom: '$(self)' }, [1, 2], ['-x', '1', '2']],
  ['valueFrom of null', 'string', { prefix: '-x', valueFrom: '$(null)' }, 'a', []],
];

describe('one binding', () => {
  it.each(bindings)('%s', async (_name, type, inputBinding, value, words) => {
    expect(await commandOf({ inputs: { x: { type, inputBinding } } }, { x: value })).toEqual(['tool', ...words]);
  });
});

describe('order', () => {
  it('is by position, then arguments before inputs, then by name', async () => {
    const inputs = {
      b: { type: 'string', inputBinding: {} },
      a: { type: 'string', inputBinding: {} },
      last: { type: 'string', inputBinding: { position: 9 } },
      first: { type: 'string', inputBinding: { position: -1 } },
    };
    const fields = { baseCommand: ['tool', 'run'], inputs, arguments: ['x', { valueFrom: 'y', position: 5 }, 'z'] };
    const command = await commandOf(fields, { a: 'A', b: 'B', first: 'F', last: 'L' });
    expect(command).toEqual(['tool', 'run', 'F', 'x', 'z', 'A', 'B', 'y', 'L']);
  });

  it('takes the position from an expression', async () => {
    const inputs = {
      a: { type: 'int', inputBinding: { position: '$(self)' } },
      b: { type: 'int', inputBinding: { position: '$(inputs.a - 1)' } },
    };
    const requirements = { InlineJavascriptRequirement: {} };
    expect(await commandOf({ inputs, requirements }, { a: 4, b: 8 })).toEqual(['tool', '8', '4']);
  });

  it('and amounts may be whole floats', async () => {
    const inputs = {
      a: { type: 'double', inputBinding: { position: '$(self)' } },
      b: { type: 'int', inputBinding: { position: 1 } },
    };
    const requirements = {
      ResourceRequirement: { ramMin: '$(inputs.a)' },
      ToolTimeLimit: { timelimit: '$(inputs.a)' },
    };
    const { job } = await prepareJob(await loadTool({ inputs, requirements }), { a: 300n, b: 8 });
    expect(job.command).toEqual(['tool', '8', '300.0']);
    expect([job.resources.ramBytes, job.timeLimitSeconds]).toEqual([300 * mib, 300]);
  });

  it('refuses a position that is no whole number', async () => {
    const fields = { inputs: { a: { type: 'string', inputBinding: { position: '$(self)' } } } };
    await expect(commandOf(fields, { a: 'x' })).rejects.toEqual(
      withCode('job/bad-binding', /a\.inputBinding\.position.*"x"/),
    );
  });
});

describe('the shell', () => {
  it('gets one line, quoted but for what asks not to be', async () => {
    const fields = {
      baseCommand: ['echo', 'a b'],
      requirements: { ShellCommandRequirement: {} },
      arguments: [{ valueFrom: '>', shellQuote: false }, "it's"],
    };
    expect(await commandOf(fields)).toEqual(['/bin/sh', '-c', `echo 'a b' > 'it'"'"'s'`]);
  });

  it.each([
    ['', "''"],
    ['a/b.c:d=1', 'a/b.c:d=1'],
    ['$HOME', "'$HOME'"],
    ['é', "'é'"],
  ])('quotes %j for a shell', async (word, quoted) => {
    const fields = { baseCommand: [], arguments: [word], requirements: { ShellCommandRequirement: {} } };
    expect(await commandOf(fields)).toEqual(['/bin/sh', '-c', quoted]);
  });
});

describe('the whole', () => {
  it('may not be empty', async () => {
    await expect(commandOf({ baseCommand: [] })).rejects.toEqual(withCode('job/bad-binding', /command line is empty/));
  });

  it('starts with mpirun where MPIRequirement asks for processes', async () => {
    const $namespaces = { cwltool: 'http://commonwl.org/cwltool#' };
    expect(await commandOf({ $namespaces, hints: { 'cwltool:MPIRequirement': { processes: 2 } } })).toEqual([
      'mpirun',
      '-n',
      '2',
      'tool',
    ]);
  });

  it.each([
    [-1, /got -1$/],
    [0, /got 0$/],
    ['$("2")', /got "2"$/],
    ['$(0.5)', /got 0\.5$/],
    ['$(null)', /got null$/],
  ])('refuses %j processes of MPIRequirement', async (processes, message) => {
    const $namespaces = { cwltool: 'http://commonwl.org/cwltool#' };
    const requirements = { InlineJavascriptRequirement: {}, 'cwltool:MPIRequirement': { processes } };
    const refused = commandOf({ $namespaces, requirements });
    await expect(refused).rejects.toEqual(withCode('job/bad-requirement', message));
    await expect(refused).rejects.toMatchObject({ where: { line: expect.any(Number), step: expect.any(String) } });
  });

  it.each([
    [1.5e-9, '0.0000000015'],
    [-2.25e21, '-2250000000000000000000'],
    [1230000, '1230000'],
    [0, '0'],
  ])('writes %d as %s', (value, text) => expect(formatNumber(value)).toBe(text));
});
