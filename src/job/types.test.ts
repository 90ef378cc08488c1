import { describe, expect, it } from 'vitest';
import type { CwlType } from '../cwl/model.ts';
import { chooseBranch, outputProblem, typeProblem } from './types.ts';

const file = { class: 'File', location: 'keep:d41d8cd98f00b204e9800998ecf8427e+0/a' };
const record: CwlType = {
  type: 'record',
  fields: [
    { name: 'a', type: 'int', secondaryFiles: [], format: [], loadContents: false },
    { name: 'b', type: ['null', 'string'], secondaryFiles: [], format: [], loadContents: false },
  ],
};

describe('values and types', () => {
  it.each<[CwlType, unknown]>([
    ['null', null],
    ['int', 2 ** 31 - 1],
    ['int', -(2 ** 31)],
    ['long', 2 ** 40],
    ['float', 1],
    ['double', 1.5],
    ['Any', false],
    ['File', file],
    ['Directory', { class: 'Directory', listing: [] }],
    [['null', 'File'], null],
    [{ type: 'array', items: ['int', 'string'] }, [1, 'a']],
    [{ type: 'enum', symbols: ['x'] }, 'x'],
    [record, { a: 1, extra: true }],
  ])('%j takes %j', (type, value) => expect(typeProblem(type, value, 'x')).toBeUndefined());

  it.each<[CwlType, unknown, string]>([
    ['int', 2 ** 31, 'x: expected int, got the number 2147483648'],
    ['int', 1.5, 'x: expected int, got the number 1.5'],
    ['long', 2 ** 64, 'x: expected long, got the number 18446744073709552000'],
    ['double', Number.NaN, 'x: expected double, got the number NaN'],
    ['boolean', 'true', 'x: expected boolean, got the string "true"'],
    ['Any', null, 'x: expected Any, got null'],
    ['File', { class: 'Directory' }, 'x: expected File, got a Directory'],
    [{ type: 'array', items: 'File' }, [file, 3], 'x[1]: expected File, got the number 3'],
    [{ type: 'enum', symbols: ['x', 'y'] }, 'z', 'x: expected enum(x, y), got the string "z"'],
    [record, { b: 'x' }, 'x.a: expected int, got null'],
    [record, [], 'x: expected record(a, b), got a list of 0'],
    [['null', { type: 'array', items: 'int' }], ['a'], 'x[0]: expected int, got the string "a"'],
    [['null', 'int'], 'a', 'x: expected int?, got the string "a"'],
  ])('%j refuses %j', (type, value, problem) => expect(typeProblem(type, value, 'x')).toBe(problem));

  it('lets an output of type Any be null', () => {
    expect(outputProblem('Any', null, 'x')).toBeUndefined();
    expect(outputProblem('File', null, 'x')).toBe('output x: expected File, got null');
  });

  it('chooses the first branch that fits, inside nested unions too', () => {
    expect(chooseBranch(['null', ['int', 'string']], 'a')).toBe('string');
    expect(chooseBranch(['null', 'int'], 'a')).toBeUndefined();
  });
});
