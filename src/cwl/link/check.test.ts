import { describe, expect, it } from 'vitest';
import { createMemoryFetcher } from '../../../test/fakes/fetcher.ts';
import { InvalidDocumentError } from '../errors.ts';
import { loadDocument } from '../load.ts';

const features = [
  'ScatterFeatureRequirement',
  'MultipleInputFeatureRequirement',
  'StepInputExpressionRequirement',
  'InlineJavascriptRequirement',
];
const requirements = `requirements: {${features.map((name) => `${name}: {}`).join(', ')}}`;

/** A workflow with one step: `tool` has the input x and the output o of the given types. */
const workflow = (parts: { w: string; x: string; step?: string; o?: string; output?: string; in?: string }): string => `
cwlVersion: v1.2
class: Workflow
${requirements}
inputs: {w: ${parts.w}, other: 'string?'}
outputs:
  out: ${parts.output ?? '{type: Any, outputSource: s/o}'}
steps:
  s:
    run: {class: CommandLineTool, inputs: {x: ${parts.x}}, outputs: {o: {type: ${parts.o ?? 'string'}, outputBinding: {glob: x}}}}
    in: ${parts.in ?? '{x: w}'}
    out: [o]
    ${parts.step ?? ''}
`;

const load = (text: string) =>
  loadDocument('file:///w.cwl', { fetcher: createMemoryFetcher({ 'file:///w.cwl': text }) });

async function check(text: string): Promise<readonly string[]> {
  try {
    const { warnings } = await load(text);
    return warnings.map(({ message }) => `warning: ${message}`);
  } catch (error) {
    if (!(error instanceof InvalidDocumentError)) throw error;
    return error.problems.map(({ message }) => message);
  }
}

describe('types across links', () => {
  it.each([
    ['string', 'string'],
    ['string', "'string?'"],
    ['int', 'double'],
    ['Any', 'File'],
    ['string', 'Any'],
    ["'File[]'", "'File[]?'"],
    ['{type: {type: record, fields: {a: int, b: string}}}', '{type: {type: record, fields: {a: int}}}'],
    ["'string?'", '{type: string, default: x}'],
  ])('%s fits %s', async (w, x) => {
    expect(await check(workflow({ w, x }))).toEqual([]);
  });

  it.each([
    ["'string?'", 'string', 'may'],
    ['[string, int]', 'int', 'may'],
    ['string', 'int', 'does'],
    ["'string[]'", 'string', 'does'],
    ['File', 'Directory', 'does'],
    ['{type: {type: record, fields: {a: int}}}', '{type: {type: record, fields: {a: int, b: string}}}', 'does'],
  ])('%s %s not fit %s', async (w, x, word) => {
    const [message] = await check(workflow({ w, x }));
    expect(message).toContain(` ${word} not fit input "x" of step "s"`);
    expect(message?.startsWith('warning')).toBe(word === 'may');
  });

  it.each([
    ['scatter takes the items', { w: "'string[]'", x: 'string', step: 'scatter: x' }],
    ['a list of sources makes an array', { w: 'string', x: "'string[]'", in: '{x: {source: [w, w]}}' }],
    [
      'merge_flattened joins arrays',
      { w: "'string[]'", x: "'string[]'", in: '{x: {source: [w, w], linkMerge: merge_flattened}}' },
    ],
    ['a list of one source is that source', { w: 'string', x: 'string', in: '{x: {source: [w]}}' }],
    [
      'pickValue takes one',
      { w: "'string?'", x: 'string', in: '{x: {source: [w, other], pickValue: first_non_null}}' },
    ],
    [
      'pickValue leaves out null',
      { w: "'string?'", x: "'string[]'", in: '{x: {source: [w, other], pickValue: all_non_null}}' },
    ],
    ['valueFrom may change the type', { w: 'string', x: 'int', in: '{x: {source: w, valueFrom: "$(3)"}}' }],
    [
      'crossproduct nests outputs',
      {
        w: "'string[]'",
        x: 'string, y: string',
        in: '{x: w, y: w}',
        step: 'scatter: [x, y]\n    scatterMethod: nested_crossproduct',
        output: '{type: {type: array, items: {type: array, items: string}}, outputSource: s/o}',
      },
    ],
  ])('%s', async (_what, parts) => {
    expect(await check(workflow(parts))).toEqual([]);
  });

  it.each([
    [
      'scatter over what is no array',
      { w: 'string', x: 'string', step: 'scatter: x' },
      'of type string does not fit input "x" of step "s" of type string[]',
    ],
    [
      'scattered output',
      { w: "'string[]'", x: 'string', step: 'scatter: x', output: '{type: string, outputSource: s/o}' },
      'of type string[] does not fit workflow output "out"',
    ],
    [
      'linkMerge on one source',
      { w: 'string', x: 'string', in: '{x: {source: [w], linkMerge: merge_nested}}' },
      'source "w" of type string, merged to string[], does not fit',
    ],
    [
      'an unknown source',
      { w: 'string', x: 'string', in: '{x: v}' },
      'input "x" of step "s" has an unknown source "v"',
    ],
    [
      'an unknown output',
      { w: 'string', x: 'string', output: '{type: string, outputSource: s/p}' },
      'workflow output "out" has an unknown source "s/p"',
    ],
    ['a missing input', { w: 'string', x: 'string', in: '{}' }, 'step "s" needs the input "x" of type string'],
    [
      'an input without a source',
      { w: 'string', x: 'string', in: '{x: {}}' },
      'input "x" of step "s" needs a source, a default or valueFrom',
    ],
    [
      'a scatter over nothing',
      { w: 'string', x: 'string', step: 'scatter: y' },
      'step "s" scatters over "y", which is not in its "in"',
    ],
    [
      'a scatter without method',
      { w: "'string[]'", x: 'string, y: string', in: '{x: w, y: w}', step: 'scatter: [x, y]' },
      'step "s" scatters over several inputs and needs scatterMethod',
    ],
    ['a circle', { w: 'string', x: 'string', in: '{x: s/o}' }, 'steps wait for each other: s → s'],
  ])('%s is an error', async (_what, parts, message) => {
    expect(await check(workflow(parts))).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    [
      'a list that may be flat',
      { w: "'string[]'", x: "'string[]'", in: '{x: {source: [w, w]}}' },
      'add "linkMerge: merge_flattened"',
    ],
    ['several for one', { w: 'string', x: 'string', in: '{x: {source: [w, w]}}' }, 'take one of them with pickValue'],
    [
      'one in a list',
      { w: 'string', x: 'string', in: '{x: {source: [w], linkMerge: merge_nested}}' },
      'write the source without a list',
    ],
    [
      'a list for one',
      { w: "'string[]'", x: 'string' },
      'scatter over this input to give each element to a run of its own',
    ],
    ['one for a list', { w: 'string', x: "'string[]'" }, 'write the source as a list to make an array of it'],
    [
      'one for a scatter',
      { w: 'string', x: 'string', step: 'scatter: x' },
      'a scatter takes a list: make the source one, or do not scatter over this input',
    ],
  ])('%s is told what to do', async (_what, parts, hint) => {
    const error: unknown = await load(workflow(parts)).catch((thrown: unknown) => thrown);
    expect(error instanceof InvalidDocumentError && error.problems[0]?.hint).toBe(hint);
  });

  it('a misspelt pickValue or linkMerge brings no other problems', async () => {
    const merge = 'linkMerge: merge_flat, pickValue: first_nonnull';
    const text = workflow({ w: "'string?'", x: 'string', in: `{x: {source: [w, w], ${merge}}}` });
    expect(await check(text)).toEqual([
      expect.stringMatching(/^expected one of merge_nested, merge_flattened, got/),
      expect.stringMatching(/^expected one of first_non_null, .* got/),
    ]);
  });

  it('warns of what a condition may leave null', async () => {
    const conditional = {
      w: 'string',
      x: 'string',
      step: 'when: $(true)',
      output: '{type: string, outputSource: s/o}',
    };
    expect(await check(workflow(conditional))).toEqual([
      expect.stringMatching(/^warning: .*conditional and may give null/),
    ]);
    expect(await check(workflow({ ...conditional, output: "{type: 'string?', outputSource: s/o}" }))).toEqual([]);
  });

  it('warns of names that the process does not know, and of outputs that nobody uses', async () => {
    expect(await check(workflow({ w: 'string', x: "'string?'", in: '{z: w}' }))).toEqual([
      'warning: "z" is not an input of step "s"',
    ]);
    expect(await check(workflow({ w: 'string', x: 'string', output: '{type: string, outputSource: w}' }))).toEqual([
      'warning: no output of step "s" is used',
    ]);
  });

  it('warns of secondary files that the source does not have', async () => {
    const [message] = await check(workflow({ w: '{type: File}', x: '{type: File, secondaryFiles: [.bai]}' }));
    expect(message).toContain('requires secondaryFiles .bai that "w" does not declare');
  });

  it.each(features.slice(0, 3))('wants %s where it is used', async (feature) => {
    const text = workflow({
      w: "'string[]'",
      x: 'string',
      step: 'scatter: x',
      in: '{x: {source: [w, w], linkMerge: merge_flattened, valueFrom: $(self)}}',
    });
    const isError = feature === 'ScatterFeatureRequirement';
    const message = expect.stringMatching(new RegExp(`^${isError ? 'step' : 'warning: step'}.* needs ${feature}$`));
    expect(await check(text.replace(`${feature}: {}, `, ''))).toEqual([message]);
  });
});
