import { describe, expect, it } from 'vitest';
import { commandTool } from '../../../test/fakes/drive.ts';
import { loadWorkflow, withCode } from '../../../test/fakes/job-kit.ts';
import { selectStep, selectStepProcess } from './single-step.ts';

const tool = { ...commandTool(['x']), inputs: { a: 'int', b: { type: 'string', default: 'b' }, c: 'File?' } };
const workflow = await loadWorkflow({
  requirements: { EnvVarRequirement: { envDef: { LEVEL: 'workflow' } }, ScatterFeatureRequirement: {} },
  inputs: { n: 'int', ns: 'int[]' },
  outputs: {},
  steps: {
    plain: { run: tool, in: { a: 'n', b: { valueFrom: 'text' } }, out: ['out'] },
    fallback: { run: tool, in: { a: { source: 'n', default: 3 } }, out: [] },
    many: {
      run: tool,
      scatter: ['a'],
      in: { a: 'ns' },
      out: ['out'],
      requirements: { EnvVarRequirement: { envDef: { LEVEL: 'step' } } },
    },
  },
});
const typesOf = (step: string) =>
  Object.fromEntries(selectStep(workflow, step).inputs.map(({ id, type }) => [id, type]));

describe('a step alone', () => {
  it('has the inputs of the step, of the types that its process declares', () => {
    expect(typesOf('plain')).toEqual({ a: 'int', b: ['null', 'Any'] });
    expect(typesOf('fallback')).toEqual({ a: ['null', 'int'] });
    expect(typesOf('many')).toEqual({ a: { type: 'array', items: 'int' } });
  });

  it('gets its values from these inputs and gives what it gave', () => {
    const { steps, outputs } = selectStep(workflow, 'plain');
    expect(steps.map(({ name, in: inputs }) => [name, inputs.map(({ source }) => source)])).toEqual([
      ['plain', [['a'], ['b']]],
    ]);
    expect(outputs.map(({ id, outputSource }) => [id, outputSource])).toEqual([['out', ['plain/out']]]);
  });

  it('is one that the workflow has', () => {
    expect(() => selectStep(workflow, 'none')).toThrowError(withCode('job/no-such-target', /got "none"/) as never);
  });
});

it('what a step runs keeps the requirements that it inherits, the nearest of each class', () => {
  const levelOf = (step: string) =>
    selectStepProcess(workflow, step).requirements.find((entry) => entry.class === 'EnvVarRequirement')?.fields;
  expect(levelOf('plain')).toMatchObject({ envDef: [{ envName: 'LEVEL', envValue: 'workflow' }] });
  expect(levelOf('many')).toMatchObject({ envDef: [{ envName: 'LEVEL', envValue: 'step' }] });
  expect(selectStepProcess(workflow, 'many').inputs.map(({ type }) => type)).toEqual([
    'int',
    'string',
    ['null', 'File'],
  ]);
});
