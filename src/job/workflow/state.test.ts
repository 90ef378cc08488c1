import { describe, expect, it } from 'vitest';
import { commandTool, drive, expressionTool } from '../../../test/fakes/drive.ts';
import {
  createFakeKeep,
  fakeJavascript,
  loadInline,
  loadTool,
  loadWorkflow,
  withCode,
} from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { startWorkflow } from './state.ts';

type Fields = { readonly [field: string]: JsonValue };

const features = {
  InlineJavascriptRequirement: {},
  StepInputExpressionRequirement: {},
  ScatterFeatureRequirement: {},
  SubworkflowFeatureRequirement: {},
  MultipleInputFeatureRequirement: {},
};
const workflow = (fields: Fields) => loadWorkflow({ requirements: features, ...fields });

const double = expressionTool(['x'], 'inputs.x * 2');

/** A workflow of one step `s` with the output `out`. */
const oneStep = (step: Fields, inputs: Fields = { a: 'Any?', b: 'Any?' }, output: Fields = {}) =>
  workflow({
    inputs,
    outputs: { out: { type: 'Any?', outputSource: 's/out', ...output } },
    steps: { s: { out: ['out'], ...step } },
  });

const outputOf = async (process: Awaited<ReturnType<typeof workflow>>, inputs: CwlObject) => {
  const { outcome, state } = await drive(process, inputs);
  expect(state.failures).toEqual([]);
  expect(outcome.status).toBe('success');
  return outcome.outputs.out;
};

describe('one step', () => {
  it.each<[string, Fields, CwlObject, unknown]>([
    ['a link', { run: double, in: { x: 'a' } }, { a: 4 }, 8],
    ['a default in place of null', { run: double, in: { x: { source: 'a', default: 5 } } }, { a: null }, 10],
    ['a false-like value and no default', { run: double, in: { x: { source: 'a', default: 5 } } }, { a: 0 }, 0],
    [
      'valueFrom with self and inputs',
      { run: double, in: { x: { source: 'a', valueFrom: '$(self + inputs.y)' }, y: 'b' } },
      { a: 1, b: 2 },
      6,
    ],
    [
      'valueFrom sees what other valueFroms do not change',
      { run: double, in: { x: { source: 'a', valueFrom: '$(inputs.y)' }, y: { source: 'b', valueFrom: '$(100)' } } },
      { a: 1, b: 2 },
      4,
    ],
    ['when true', { run: double, when: '$(inputs.x > 3)', in: { x: 'a' } }, { a: 4 }, 8],
    ['when false', { run: double, when: '$(inputs.x > 3)', in: { x: 'a' } }, { a: 3 }, null],
    [
      'when after valueFrom',
      { run: double, when: '$(inputs.x > 3)', in: { x: { source: 'a', valueFrom: '$(self + 1)' } } },
      { a: 3 },
      8,
    ],
    ['scatter', { run: double, scatter: 'x', in: { x: 'a' } }, { a: [1, 2, 3] }, [2, 4, 6]],
    ['scatter over nothing', { run: double, scatter: 'x', in: { x: 'a' } }, { a: [] }, []],
    [
      'scatter, then valueFrom',
      { run: double, scatter: 'x', in: { x: { source: 'a', valueFrom: '$(self + inputs.y)' }, y: 'b' } },
      { a: [1, 2], b: 10 },
      [22, 24],
    ],
    [
      'scatter, then when',
      { run: double, scatter: 'x', when: '$(inputs.x != 2)', in: { x: 'a' } },
      { a: [1, 2, 3] },
      [2, null, 6],
    ],
    [
      'merged sources',
      {
        run: expressionTool(['x'], 'inputs.x.length'),
        in: { x: { source: ['a', 'b'], linkMerge: 'merge_flattened' } },
      },
      { a: [1, 2], b: [3] },
      3,
    ],
    [
      'nested crossproduct',
      {
        run: expressionTool(['x', 'y'], 'inputs.x + inputs.y'),
        scatter: ['x', 'y'],
        scatterMethod: 'nested_crossproduct',
        in: { x: 'a', y: 'b' },
      },
      { a: [1, 2], b: [10, 20] },
      [
        [11, 21],
        [12, 22],
      ],
    ],
  ])('%s', async (_name, step, inputs, expected) =>
    expect(await outputOf(await oneStep(step), inputs)).toEqual(expected),
  );

  it('gives a pick of conditional results', async () => {
    const process = await oneStep(
      { run: double, scatter: 'x', when: '$(inputs.x != 2)', in: { x: 'a' } },
      { a: 'Any' },
      { pickValue: 'all_non_null' },
    );
    expect(await outputOf(process, { a: [1, 2, 3] })).toEqual([2, 6]);
  });
});

describe('loops', () => {
  const $namespaces = { cwltool: 'http://commonwl.org/cwltool#' };
  const loop = (fields: Fields) => ({
    run: expressionTool(['x', 'y'], 'inputs.x + 1'),
    in: { x: 'a', y: 'b' },
    out: ['out'],
    requirements: { 'cwltool:Loop': { loopWhen: '$(inputs.x < inputs.y)', loop: { x: 'out' }, ...fields } },
  });
  const run = async (fields: Fields, inputs: CwlObject) =>
    outputOf(
      await workflow({
        $namespaces,
        inputs: { a: 'int', b: 'int' },
        outputs: { out: { type: 'Any?', outputSource: 's/out' } },
        steps: { s: loop(fields) },
      }),
      inputs,
    );

  it.each<[Fields, CwlObject, unknown]>([
    [{ outputMethod: 'last' }, { a: 1, b: 4 }, 4],
    [{ outputMethod: 'all' }, { a: 1, b: 4 }, [2, 3, 4]],
    [{ outputMethod: 'last' }, { a: 9, b: 4 }, null],
    [{ outputMethod: 'all' }, { a: 9, b: 4 }, []],
    [
      { loop: { x: { loopSource: 'out', valueFrom: '$(self * 2)' } }, outputMethod: 'all' },
      { a: 1, b: 20 },
      [2, 5, 11],
    ],
  ])('%j on %j', async (fields, inputs, expected) => expect(await run(fields, inputs)).toEqual(expected));
});

describe('subworkflows', () => {
  const inner = {
    class: 'Workflow',
    requirements: features,
    inputs: { x: 'Any' },
    outputs: { out: { type: 'Any', outputSource: 'second/out' } },
    steps: {
      first: { run: double, in: { x: 'x' }, out: ['out'] },
      second: { run: double, in: { x: 'first/out' }, out: ['out'] },
    },
  };

  it('run inside scatters, one begun before the next is', async () => {
    const process = await oneStep({ run: inner, scatter: 'x', in: { x: 'a' } });
    const { outcome, names } = await drive(process, { a: [1, 2, 3] }, { width: 1 });
    expect(outcome.outputs.out).toEqual([4, 8, 12]);
    expect(names).toEqual(['s[0]/first', 's[0]/second', 's[1]/first', 's[1]/second', 's[2]/first', 's[2]/second']);
  });

  it('inherit requirements: the most specific wins, and a requirement over a hint', async () => {
    const env = (value: string) => ({ EnvVarRequirement: { envDef: { V: value } } });
    const resources = (coresMin: number) => ({ ResourceRequirement: { coresMin } });
    const process = await workflow({
      inputs: {},
      outputs: {},
      requirements: { ...features, ...env('workflow'), NetworkAccess: { networkAccess: true } },
      hints: resources(1),
      steps: {
        plain: { in: {}, out: [], run: commandTool([]) },
        step: {
          in: {},
          out: [],
          run: commandTool([], { hints: { ...env('tool hint'), ...resources(3) } }),
          requirements: env('step'),
        },
        tool: {
          in: {},
          out: [],
          run: commandTool([], { requirements: env('tool') }),
          hints: resources(2),
          requirements: env('step'),
        },
      },
    });
    const found = new Map<string, unknown>();
    await drive(
      process,
      {},
      {
        tool: ({ name, requirements }) => {
          const one = (entries: typeof requirements.hints, wanted: string) =>
            entries.find((entry) => entry.class === wanted)?.fields;
          const definition = one(requirements.requirements, 'EnvVarRequirement')?.envDef as readonly {
            envValue: string;
          }[];
          const hinted = one(requirements.hints, 'EnvVarRequirement');
          found.set(name, [definition[0]?.envValue, one(requirements.hints, 'ResourceRequirement')?.coresMin, hinted]);
          return {};
        },
      },
    );
    expect(Object.fromEntries(found)).toEqual({
      plain: ['workflow', 1, undefined],
      step: ['step', 3, undefined],
      tool: ['tool', 2, undefined],
    });
  });
});

describe('failures', () => {
  const branches = () =>
    workflow({
      inputs: { a: 'Any' },
      outputs: { bad: { type: 'Any?', outputSource: 'after/out' }, good: { type: 'Any?', outputSource: 'other/out' } },
      steps: {
        breaks: { run: commandTool(['x']), in: { x: 'a' }, out: ['out'] },
        after: { run: commandTool(['x']), in: { x: 'breaks/out' }, out: ['out'] },
        other: { run: commandTool(['x']), in: { x: 'a' }, out: ['out'] },
        last: { run: commandTool(['x']), in: { x: 'other/out' }, out: ['out'] },
      },
    });
  const tool = (job: { readonly name: string }) =>
    job.name === 'breaks' ? ('temporaryFail' as const) : { out: job.name };

  it('stop everything that has not begun', async () => {
    const { outcome, names } = await drive(await branches(), { a: 1 }, { tool, width: 1 });
    expect(names).toEqual(['breaks']);
    expect(outcome).toEqual({ status: 'temporaryFail', outputs: {} });
  });

  it('or only what depends on them; the rest gives its outputs', async () => {
    const { outcome, names } = await drive(await branches(), { a: 1 }, { tool, onError: 'continue', width: 1 });
    expect(names).toEqual(['breaks', 'other', 'last']);
    expect(outcome).toEqual({ status: 'temporaryFail', outputs: { bad: null, good: 'other' } });
  });

  it('of one element leave the others of a scatter', async () => {
    const process = await oneStep({ run: commandTool(['x']), scatter: 'x', in: { x: 'a' } });
    const { outcome } = await drive(
      process,
      { a: [1, 2, 3] },
      { onError: 'continue', tool: ({ inputs }) => (inputs.x === 2 ? 'permanentFail' : { out: inputs.x ?? null }) },
    );
    expect(outcome).toEqual({ status: 'permanentFail', outputs: { out: [1, null, 3] } });
  });

  it.each<[Fields, CwlObject, string, RegExp]>([
    [
      { run: double, when: '$(inputs.x)', in: { x: 'a' } },
      { a: 3 },
      'job/bad-condition',
      /expected true or false, got 3/,
    ],
    [{ run: double, scatter: 'x', in: { x: 'a' } }, { a: 3 }, 'job/bad-scatter', /expected a list, got 3/],
    [
      { run: double, in: { x: { source: ['a', 'b'], pickValue: 'first_non_null' } } },
      { a: null, b: null },
      'job/bad-link',
      /s\/x: pickValue/,
    ],
    [
      { run: double, in: { x: { source: 'a', valueFrom: '$(self.no.such)' } } },
      { a: 1 },
      'cwl/expression-failed',
      /self.no.such/,
    ],
    [
      { run: double, in: { x: { source: 'a', valueFrom: '$({class: "File", location: "file:///etc/passwd"})' } } },
      { a: 1 },
      'job/bad-location',
      /^x.valueFrom: expected a File that the step was given, got file:\/\/\/etc\/passwd$/,
    ],
  ])('of %j are told with the step', async (step, inputs, code, message) => {
    const { state, outcome } = await drive(await oneStep(step), inputs);
    expect(outcome.status).toBe('permanentFail');
    expect(state.failures).toEqual([{ name: 's', error: withCode(code, message) }]);
  });

  it("of a workflow's own inputs are told too", async () => {
    const { state } = await drive(await workflow({ inputs: { a: 'int' }, outputs: {}, steps: {} }), { a: 'x' });
    expect(state.failures).toEqual([{ name: '', error: withCode('job/bad-input', /a: expected int/) }]);
  });
});

describe('the state', () => {
  it('makes elements of a scatter only when they are asked for', async () => {
    let evaluated = 0;
    const engine = {
      ...fakeJavascript.engine,
      evaluate: async () => {
        evaluated += 1;
        return null;
      },
    };
    const inputs = { a: Array.from({ length: 1000 }, (_, i) => i) };
    const process = await oneStep({
      run: commandTool(['x']),
      scatter: 'x',
      in: { x: { source: 'a', valueFrom: '$(self + 1)' } },
    });
    const state = startWorkflow(process, inputs, { javascript: { engine }, keep: createFakeKeep(), onError: 'stop' });
    for (let i = 0; i < 10; i += 1) await state.next();
    expect({ evaluated, running: state.running, outcome: state.outcome }).toEqual({
      evaluated: 10,
      running: 10,
      outcome: undefined,
    });
  });

  it('follows a chain of 3000 steps, and what fails at its start, without running out of stack', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `s${i}`);
    const steps = Object.fromEntries(
      names.map((name, i) => [name, { run: '#tool', in: { x: i === 0 ? 'a' : `${names[i - 1]}/out` }, out: ['out'] }]),
    );
    const $graph = [
      { id: 'tool', ...commandTool(['x']) },
      {
        id: 'main',
        class: 'Workflow',
        inputs: { a: 'Any' },
        outputs: { out: { type: 'Any?', outputSource: 's2999/out' } },
        steps,
      },
    ] as unknown as JsonValue;
    const process = await loadInline({ $graph });
    const done = await drive(process, { a: 0 }, { tool: ({ inputs }) => ({ out: Number(inputs.x) + 1 }) });
    expect(done.outcome.outputs.out).toBe(3000);
    const failed = await drive(process, { a: 0 }, { onError: 'continue', tool: () => 'permanentFail' });
    expect([failed.names, failed.outcome.status]).toEqual([['s0'], 'permanentFail']);
  });

  it('runs a tool alone under the name that it is given', async () => {
    const { names, outcome } = await drive(
      await loadTool({ outputs: { out: 'Any?' } }),
      {},
      { tool: () => ({ out: 3 }) },
    );
    expect([names, outcome]).toEqual([['main'], { status: 'success', outputs: { out: 3 } }]);
  });

  it('shows files changed in place to whoever asks later', async () => {
    const process = await workflow({
      inputs: { a: 'File' },
      outputs: { out: { type: 'Any', outputSource: 'read/out' } },
      steps: {
        change: { run: commandTool(['x']), in: { x: 'a' }, out: ['out'] },
        read: { run: commandTool(['x']), in: { x: 'a', wait: 'change/out' }, out: ['out'] },
      },
    });
    const before = { class: 'File' as const, location: 'keep:d41d8cd98f00b204e9800998ecf8427e+0/a', size: 3 };
    const after = 'keep:acbd18db4cc2f85cedef654fccc4a4d8+3/a';
    const state = startWorkflow(
      process,
      { a: before },
      { javascript: fakeJavascript, keep: createFakeKeep(), onError: 'stop' },
    );
    const change = await state.next();
    state.finish(change?.id ?? 0, {
      status: 'success',
      outputs: { out: 1 },
      replaced: new Map([[before.location, after]]),
    });
    const read = await state.next();
    expect(read?.inputs.x).toMatchObject({ location: after, basename: 'a' });
    expect(read?.inputs.x).not.toHaveProperty('size');
  });
});
