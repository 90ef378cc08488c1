import { expect, it } from 'vitest';
import { didYouMean, nearest } from './nearest.ts';

it.each([
  ['baseComand', ['baseCommand', 'arguments'], 'baseCommand'],
  ['OUTPUTS', ['outputs'], 'outputs'],
  ['tow', ['two', 'three'], 'two'],
  ['merge_flat', ['merge_nested', 'merge_flattened'], 'merge_flattened'],
  ['merge', ['merge_nested', 'merge_flattened'], undefined],
  ['out', ['outputSource'], undefined],
  ['x', ['abc'], undefined],
])('the nearest to %s of %j is %s', (name, names, expected) => expect(nearest(name, names.values())).toBe(expected));

it('is asked for', () => {
  expect(didYouMean('inptus', ['inputs'])).toBe('did you mean "inputs"?');
  expect(didYouMean('inptus', [])).toBeUndefined();
});
