import { describe, expect, it } from 'vitest';
import { commandTool } from '../../test/fakes/drive.ts';
import { loadInline, loadTool, loadWorkflow, withCode } from '../../test/fakes/job-kit.ts';
import type { Requirement } from '../cwl/model.ts';
import { inheritRequirements, refuseUnsupported } from './requirements.ts';

const position = { file: 'x.cwl', line: 3, column: 5 };
const entry = (name: string, value = 1): Requirement => ({ class: name, fields: { value }, position });
const names = (entries: readonly Requirement[]) => entries.map((one) => `${one.class}${one.fields.value}`);

describe('inheritance', () => {
  it.each([
    ['inner requirements replace outer ones', [['A']], [['A']], [['A2'], []]],
    [
      'both are in effect',
      [['A'], ['B']],
      [['C'], ['D']],
      [
        ['A1', 'C2'],
        ['B1', 'D2'],
      ],
    ],
    ['an outer requirement wins over an inner hint', [['A']], [[], ['A']], [['A1'], []]],
    ['an inner requirement wins over an outer hint', [[], ['A']], [['A']], [['A2'], []]],
    ['an inner hint wins over an outer hint', [[], ['A']], [[], ['A']], [[], ['A2']]],
  ] as const)('%s', (_name, outer, inner, [requirements, hints]) => {
    const toSide = ([required, hinted = []]: readonly (readonly string[])[], value: number) => ({
      requirements: (required ?? []).map((name) => entry(name, value)),
      hints: hinted.map((name) => entry(name, value)),
    });
    const effective = inheritRequirements(toSide(outer, 1), toSide(inner, 2));
    expect([names(effective.requirements), names(effective.hints)]).toEqual([requirements, hints]);
  });
});

describe('what is not supported', () => {
  it('is refused in any process that would run, with its place', async () => {
    const tool = { ...(await loadTool({})), requirements: [entry('http://x#Unknown')] };
    const outer = await loadWorkflow({ steps: { s: { in: {}, out: [], run: commandTool([]) } } });
    const process = { ...outer, steps: outer.steps.map((step) => ({ ...step, run: tool })) };
    expect(() => refuseUnsupported(process)).toThrowError(
      withCode('job/unsupported-requirement', /http:\/\/x#Unknown/) as never,
    );
    expect(() => refuseUnsupported({ ...tool, requirements: [], hints: tool.requirements })).not.toThrow();
  });

  it('is refused on a step', async () => {
    const outer = await loadWorkflow({ steps: { s: { in: {}, out: [], run: commandTool([]) } } });
    const process = {
      ...outer,
      steps: outer.steps.map((step) => ({ ...step, requirements: [entry('http://x#Unknown')] })),
    };
    expect(() => refuseUnsupported(process)).toThrowError(expect.objectContaining({ where: position }));
  });

  it('is an Operation', async () => {
    const process = await loadInline({ class: 'Operation', inputs: {}, outputs: {} });
    expect(() => refuseUnsupported(process)).toThrowError(
      withCode('job/unsupported-process', /an Operation cannot be run/) as never,
    );
  });
});
