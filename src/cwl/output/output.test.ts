import { describe, expect, it } from 'vitest';
import { checkWithObjectModel } from '../../../test/contract/cwl-object-model.ts';
import { createMemoryFetcher } from '../../../test/fakes/fetcher.ts';
import { InvalidDocumentError } from '../errors.ts';
import { checkInputs } from '../input/check.ts';
import { parseInputObject } from '../input/job.ts';
import { loadProcess } from '../load.ts';
import { toDot } from './dot.ts';
import { pack } from './pack.ts';
import { toSarif } from './sarif.ts';
import { makeTemplate } from './template.ts';

const texts = {
  'file:///w.cwl': `cwlVersion: v1.2
class: Workflow
requirements:
  SubworkflowFeatureRequirement: {}
  ScatterFeatureRequirement: {}
  StepInputExpressionRequirement: {}
  InlineJavascriptRequirement: {expressionLib: [{$include: lib.js}]}
  SchemaDefRequirement: {types: [{name: Mode, type: enum, symbols: [fast, exact]}]}
inputs:
  words: {type: 'string[]', doc: "what to say\\nin order"}
  mode: Mode
  extra: {type: 'File?', secondaryFiles: ['.idx?', ^.dict]}
  times: {type: int, default: 2}
outputs:
  all: {type: 'File[]', outputSource: inner/files}
  one: {type: 'string?', outputSource: maybe/o}
steps:
  inner:
    run:
      class: Workflow
      inputs: {words: 'string[]'}
      outputs: {files: {type: 'File[]', outputSource: say/o}}
      steps:
        say: {run: tool.cwl, scatter: x, in: {x: words}, out: [o]}
    in: {words: words}
    out: [files]
  maybe:
    run: {class: ExpressionTool, inputs: {n: int}, outputs: {o: string}, expression: '\${ return {o: "x"}; }'}
    when: $(inputs.n > 1)
    in: {n: {source: times, valueFrom: $(self + 1)}}
    out: [o]
`,
  'file:///tool.cwl':
    'cwlVersion: v1.0\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {x: {type: string, inputBinding: {position: 1}}}\noutputs: {o: stdout}\n',
  'file:///lib.js': 'var two = 2;\n',
};
const process = await loadProcess('file:///w.cwl', { fetcher: createMemoryFetcher(texts) });

describe('pack', () => {
  const packed = pack(process);

  it('holds everything in one document of v1.2, main first', () => {
    const graph = packed.$graph as readonly { readonly id: string; readonly class: string }[];
    expect(graph.map((member) => [member.id, member.class])).toEqual([
      ['#main', 'Workflow'],
      ['#inner_run', 'Workflow'],
      ['#maybe_run', 'ExpressionTool'],
      ['#tool.cwl', 'CommandLineTool'],
    ]);
    expect(JSON.stringify(packed)).not.toMatch(/\$import|\$include|SchemaDef|file:/);
  });

  it('reads back as the same process', async () => {
    const again = await loadProcess('file:///p.cwl', {
      fetcher: createMemoryFetcher({ 'file:///p.cwl': JSON.stringify(packed) }),
    });
    expect(pack(again)).toEqual({ ...packed, $graph: expect.any(Array) });
    expect(again.inputs).toMatchObject(process.inputs.map(({ id, hasDefault }) => ({ id, hasDefault })));
    expect(again).toMatchObject({
      steps: [{ run: { steps: [{ scatter: ['x'], run: { class: 'CommandLineTool' } }] } }, { when: '$(inputs.n > 1)' }],
    });
  });

  it('passes the object model of the standard, which refuses what is wrong', async () => {
    await checkWithObjectModel(packed, 'file:///p.cwl');
    const wrong = { cwlVersion: 'v1.2', class: 'CommandLineTool', inputs: [], outputs: [], baseComand: 'x' };
    await expect(checkWithObjectModel(wrong, 'file:///p.cwl')).rejects.toMatchObject({
      code: 'cwl/invalid-document',
      message: expect.stringContaining('baseComand'),
    });
  });
});

describe('toDot', () => {
  it('draws steps, nests subworkflows, and marks scatter and conditions', () => {
    const dot = toDot(process);
    for (const line of [
      '"in:words" [label="words", shape=ellipse, fillcolor="#e8f0fe"];',
      'subgraph "cluster_inner" {',
      '"inner/say" [label="say\\n(scatter x)", peripheries=2];',
      '"maybe" [label="maybe\\n(when)", style="rounded,filled,dashed"];',
      '"in:words" -> "inner/in:words";',
      '"inner/in:words" -> "inner/say" [label="x"];',
      '"inner/say" -> "inner/out:files";',
      '"inner/out:files" -> "out:all";',
    ]) {
      expect(dot).toContain(line);
    }
  });

  it('draws a tool alone, and no text gets out of its quotes', async () => {
    const text =
      'cwlVersion: v1.2\nclass: CommandLineTool\nlabel: "a\\"; evil [x]"\ninputs: {x: string}\noutputs: []\n';
    const tool = await loadProcess('file:///t.cwl', { fetcher: createMemoryFetcher({ 'file:///t.cwl': text }) });
    expect(toDot(tool)).toContain('"process" [label="a\\"; evil [x]"];');
    expect(toDot(tool)).toContain('"in:x" -> "process";');
  });
});

describe('toSarif', () => {
  it('gives each problem its rule, level and region', async () => {
    const fetcher = createMemoryFetcher({
      'file:///d/t.cwl': 'cwlVersion: v1.2\nclass: CommandLineTool\ninptus: []\noutputs: []\n',
    });
    const error: unknown = await loadProcess('file:///d/t.cwl', { fetcher }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidDocumentError);
    const sarif = toSarif((error as InvalidDocumentError).problems, { version: '1.0', folder: 'file:///d/' });
    expect(sarif).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { rules: [{ id: 'unknown-field' }] } },
          results: [
            {
              ruleId: 'unknown-field',
              level: 'error',
              message: { text: expect.stringContaining('(did you mean "inputs"?)') },
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 't.cwl', uriBaseId: '%SRCROOT%' },
                    region: { startLine: 3, startColumn: 1, endColumn: 7 },
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  });
});

describe('makeTemplate', () => {
  it('is an input object that the process takes', () => {
    const template = makeTemplate(process);
    expect(template).toContain('# what to say\n# in order\nwords: ["a_string"]  # type "string[]"\n');
    expect(template).toContain('times: 2  # type "int" (optional)\n');
    const { inputs } = checkInputs(process, parseInputObject(template, 'file:///job.yml'));
    expect(inputs).toMatchObject({ mode: 'fast', extra: { class: 'File', location: 'file:///a/file/path' } });
  });
});
