import { describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import type { WorkflowStep } from '../../cwl/model.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { planScatter } from './scatter.ts';

const step = (scatter: readonly string[], scatterMethod?: WorkflowStep['scatterMethod']) => ({
  name: 's',
  scatter,
  ...(scatterMethod && { scatterMethod }),
  position: { file: 'w.cwl', line: 3, column: 5 },
});

/** Runs a scatter whose elements give `a + b`. */
function run(inputs: CwlObject, scatter: readonly string[], method?: WorkflowStep['scatterMethod']) {
  const plan = planScatter(step(scatter, method), inputs);
  const results = Array.from({ length: plan.count }, (_, i) => {
    const { a, b } = plan.inputsAt(i);
    return `${a}${b}`;
  });
  return plan.shape(results);
}

describe('scatter', () => {
  it.each([
    [['a'], undefined, { a: ['1', '2'], b: 'x' }, ['1x', '2x']],
    [['a', 'b'], 'dotproduct', { a: ['1', '2'], b: ['x', 'y'] }, ['1x', '2y']],
    [['a', 'b'], 'flat_crossproduct', { a: ['1', '2'], b: ['x', 'y', 'z'] }, ['1x', '1y', '1z', '2x', '2y', '2z']],
    [
      ['a', 'b'],
      'nested_crossproduct',
      { a: ['1', '2'], b: ['x', 'y', 'z'] },
      [
        ['1x', '1y', '1z'],
        ['2x', '2y', '2z'],
      ],
    ],
    [['a'], undefined, { a: [], b: 'x' }, []],
    [['a', 'b'], 'flat_crossproduct', { a: ['1'], b: [] }, []],
    [['a', 'b'], 'nested_crossproduct', { a: [], b: ['x'] }, []],
    [['a', 'b'], 'nested_crossproduct', { a: ['1', '2'], b: [] }, [[], []]],
  ] as const)('over %j, %s', (scatter, method, inputs, expected) => {
    expect(run(inputs, scatter, method)).toEqual(expected);
  });

  it('refuses lists of different length in a dotproduct', () => {
    expect(() => run({ a: ['1'], b: [] }, ['a', 'b'], 'dotproduct')).toThrowError(
      withCode('job/bad-scatter', /a: 1, b: 0/) as never,
    );
  });

  it('refuses what is no list', () => {
    expect(() => run({ a: 'x' }, ['a'])).toThrowError(
      withCode('job/bad-scatter', /scatter over a: expected a list, got "x"/) as never,
    );
  });
});
