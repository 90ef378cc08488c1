import { describe, expect, it } from 'vitest';
import { commandTool } from '../../../test/fakes/drive.ts';
import { loadWorkflow, withCode } from '../../../test/fakes/job-kit.ts';
import { selectTargets } from './targets.ts';

const step = (source: string) => ({ run: commandTool(['x']), in: { x: source }, out: ['out'] });
const output = (outputSource: string) => ({ type: 'Any?', outputSource });
const workflow = await loadWorkflow({
  inputs: { a: 'Any', b: 'Any' },
  outputs: { one: output('first/out'), two: output('second/out'), side: output('side/out') },
  steps: { first: step('a'), second: step('first/out'), side: step('b') },
});
const select = (...targets: string[]) => {
  const { steps, outputs } = selectTargets(workflow, targets);
  return [steps.map(({ name }) => name), outputs.map(({ id }) => id)];
};

describe('targets', () => {
  it.each([
    [['two'], [['first', 'second'], ['two']]],
    [
      ['one', 'side'],
      [
        ['first', 'side'],
        ['one', 'side'],
      ],
    ],
    [['second'], [['first', 'second'], ['two']]],
  ])('%j', (targets, expected) => expect(select(...targets)).toEqual(expected));

  it('leave out the inputs that they do not use', () => {
    expect(selectTargets(workflow, ['two']).inputs.map(({ id }) => id)).toEqual(['a']);
  });

  it('are outputs or steps', () => {
    expect(() => select('third')).toThrowError(withCode('job/no-such-target', /got "third"/) as never);
  });
});
