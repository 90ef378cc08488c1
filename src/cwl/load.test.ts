import { describe, expect, it } from 'vitest';
import { createMemoryFetcher } from '../../test/fakes/fetcher.ts';
import { InvalidDocumentError } from './errors.ts';
import { parseInputObject } from './input/job.ts';
import { type LoadOptions, loadDocument, loadProcess } from './load.ts';
import type { CommandLineTool, Process, Workflow } from './model.ts';
import { renderProblem } from './problem.ts';
import type { Node } from './syntax/node.ts';

type Texts = Readonly<Record<string, string>>;
const tool = (rest = '', version = 'v1.2'): string =>
  `cwlVersion: ${version}\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {x: string}\noutputs: {o: stdout}\n${rest}`;

function load(texts: Texts, uri = 'file:///a.cwl', options: Partial<LoadOptions> = {}): Promise<Process> {
  const entries = Object.entries(texts).map(([name, text]) => [name.includes(':') ? name : `file:///${name}`, text]);
  return loadProcess(uri, { fetcher: createMemoryFetcher(Object.fromEntries(entries)), ...options });
}
const loadTool = async (text: string, options?: Partial<LoadOptions>) =>
  (await load({ 'a.cwl': text }, undefined, options)) as CommandLineTool;
const problemsOf = async (texts: Texts, uri?: string): Promise<readonly string[]> => {
  const error: unknown = await load(texts, uri).catch((thrown: unknown) => thrown);
  if (!(error instanceof InvalidDocumentError)) throw error;
  return error.problems.map(({ message }) => message);
};

describe('loading a tool', () => {
  it('gives every list its normal form', async () => {
    const process = await loadTool(
      tool(`arguments: [a, {valueFrom: b, position: 1}]
requirements:
  EnvVarRequirement: {envDef: {A: one, B: {envValue: two}}}
  SoftwareRequirement: {packages: {samtools: [https://x.org/s], bwa: {version: ['1']}}}
hints:
  - class: ResourceRequirement
    coresMin: 2
`),
    );
    expect(process).toMatchObject({
      id: 'file:///a.cwl',
      cwlVersion: 'v1.2',
      baseCommand: ['echo'],
      arguments: ['a', { valueFrom: 'b', position: 1 }],
      inputs: [{ id: 'x', type: 'string', hasDefault: false, position: { file: '/a.cwl', line: 4, column: 10 } }],
      hints: [{ class: 'ResourceRequirement', fields: { coresMin: 2 } }],
    });
    expect(process.requirements.map(({ fields }) => fields)).toEqual([
      {
        envDef: [
          { envName: 'A', envValue: 'one' },
          { envName: 'B', envValue: 'two' },
        ],
      },
      {
        packages: [
          { package: 'samtools', specs: ['https://x.org/s'] },
          { package: 'bwa', version: ['1'] },
        ],
      },
    ]);
  });

  it.each([
    ['File', 'File'],
    ['File?', ['null', 'File']],
    ["'string[]'", { type: 'array', items: 'string' }],
    ["'int[][]?'", ['null', { type: 'array', items: { type: 'array', items: 'int' } }]],
    ["['null', 'int?', {type: enum, symbols: [a, '#x/b']}]", ['null', 'int', { type: 'enum', symbols: ['a', 'b'] }]],
    ['{type: record, fields: {f: File?}}', { type: 'record', fields: [{ name: 'f', type: ['null', 'File'] }] }],
  ])('reads the type %s', async (written, expected) => {
    const process = await loadTool(
      `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {x: {type: ${written}}}\noutputs: []\n`,
    );
    expect(process.inputs[0]).toMatchObject({ type: expected });
  });

  it('warns of lists of lists in short form, which only CWL v1.3 has', async () => {
    const text = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {x: "int[][]", y: "int[]?"}\noutputs: []\n';
    const loaded = await loadDocument('file:///a.cwl', { fetcher: createMemoryFetcher({ 'file:///a.cwl': text }) });
    expect(loaded.warnings).toMatchObject([
      { rule: 'version', message: expect.stringContaining('"int[][]" is not in CWL v1.2'), position: { line: 3 } },
    ]);
  });

  it('rewrites stdin, stdout and stderr the same way each time', async () => {
    const text = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {in: stdin}\noutputs: {o: stdout, e: stderr}\n';
    const [first, second] = [await loadTool(text), await loadTool(text)];
    expect(first).toMatchObject({ stdin: '$(inputs["in"].path)', stdout: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(first.inputs[0]?.type).toBe('File');
    expect(first.outputs.map(({ outputBinding }) => outputBinding?.glob)).toEqual([[first.stdout], [first.stderr]]);
    expect([first.stdout, first.stderr]).toEqual([second.stdout, second.stderr]);
    expect(first.stdout).not.toBe(first.stderr);
  });

  it('puts named types in place, wherever they are written', async () => {
    const process = await load({
      'a.cwl': `cwlVersion: v1.2
class: CommandLineTool
requirements:
  SchemaDefRequirement:
    types:
      - $import: types.yml
      - {name: Local, type: record, fields: {in: 'types.yml#Colour'}}
inputs: {a: Local, b: 'types.yml#Colour[]', c: '#Local?'}
outputs: []
`,
      'types.yml': 'name: Colour\ntype: enum\nsymbols: [red, green]\n',
    });
    const colour = { type: 'enum', symbols: ['red', 'green'], name: 'Colour' };
    expect(process.inputs.map(({ type }) => type)).toMatchObject([
      { type: 'record', fields: [{ name: 'in', type: colour }] },
      { type: 'array', items: colour },
      ['null', { type: 'record' }],
    ]);
  });

  it('reads secondaryFiles as its version does', async () => {
    const write = (version: string) =>
      `cwlVersion: ${version}\nclass: CommandLineTool\ninputs: {x: {type: File, secondaryFiles: [.bai, '^.c?', '$(self.nameroot).d?']}}\noutputs: []\n`;
    expect((await loadTool(write('v1.2'))).inputs[0]?.secondaryFiles).toEqual([
      { pattern: '.bai' },
      { pattern: '^.c', required: false },
      { pattern: '$(self.nameroot).d', required: false },
    ]);
    expect((await loadTool(write('v1.0'))).inputs[0]?.secondaryFiles).toEqual([
      { pattern: '.bai' },
      { pattern: '^.c?' },
      { pattern: '$(self.nameroot).d?' },
    ]);
  });

  it('resolves formats, files of defaults and extensions', async () => {
    const process = await load(
      {
        'file:///d/a.cwl': `cwlVersion: v1.2
class: CommandLineTool
$namespaces: {edam: 'http://edamontology.org/', arv: 'http://arvados.org/cwl#'}
inputs:
  x: {type: File, format: edam:format_1, default: {class: File, path: 'in #1.txt', format: edam:format_2}}
outputs: []
hints:
  DockerRequirement: {dockerPull: x, arv:dockerCollectionPDH: 99914b932bd37a50b983c5e7c90ae93b+2}
  arv:RuntimeConstraints: {keep_cache: 64}
`,
      },
      'file:///d/a.cwl',
    );
    expect(process.inputs[0]).toMatchObject({
      format: ['http://edamontology.org/format_1'],
      default: { class: 'File', location: 'file:///d/in%20%231.txt', format: 'http://edamontology.org/format_2' },
    });
    expect(process.hints).toMatchObject([
      {
        class: 'DockerRequirement',
        fields: { 'http://arvados.org/cwl#dockerCollectionPDH': '99914b932bd37a50b983c5e7c90ae93b+2' },
      },
      { class: 'http://arvados.org/cwl#RuntimeConstraints', fields: { keep_cache: 64 } },
    ]);
  });

  it('gives documents of v1.0 what they count on, and extensions their later names', async () => {
    const process = await loadTool(
      tool(
        "$namespaces: {cwltool: 'http://commonwl.org/cwltool#'}\nrequirements: {cwltool:TimeLimit: {timelimit: 5}}\n",
        'v1.0',
      ),
    );
    expect(process.hints.map(({ class: name, fields }) => [name, fields])).toEqual([
      ['LoadListingRequirement', { loadListing: 'deep_listing' }],
      ['NetworkAccess', { networkAccess: true }],
    ]);
    expect(process.requirements).toMatchObject([{ class: 'ToolTimeLimit', fields: { timelimit: 5 } }]);
    expect((await loadTool(tool('', 'v1.1'))).hints).toEqual([]);
  });

  it('reads executable documents and development versions where they are allowed', async () => {
    expect((await loadTool(`#!/usr/bin/env cwl-runner\n${tool()}`)).class).toBe('CommandLineTool');
    expect((await loadTool(tool('', 'v1.2.0-dev4'), { enableDev: true })).cwlVersion).toBe('v1.2');
    await expect(loadTool(tool('', 'v1.3.0-dev1'))).rejects.toMatchObject({
      hint: expect.stringContaining('--enable-dev'),
    });
  });

  it('lets overrides take the place of requirements', async () => {
    const { overrides } = parseInputObject(
      'cwltool:overrides: {a.cwl: {requirements: {EnvVarRequirement: {envDef: {A: new}}}}}',
      'file:///job.yml',
    );
    const process = await loadTool(
      tool('requirements: {EnvVarRequirement: {envDef: {A: old}}, ShellCommandRequirement: {}}\n'),
      { overrides },
    );
    expect(process.requirements.map(({ class: name, fields }) => [name, fields])).toEqual([
      ['ShellCommandRequirement', {}],
      ['EnvVarRequirement', { envDef: [{ envName: 'A', envValue: 'new' }] }],
    ]);
  });
});

describe('requirements of the job file', () => {
  it('take the place of those of the process that runs, and of no other', async () => {
    const job = parseInputObject('cwl:requirements: [{class: EnvVarRequirement, envDef: {A: new}}]', 'file:///job.yml');
    const env = 'requirements: {EnvVarRequirement: {envDef: {A: old}}}';
    const inner = `{id: t, class: CommandLineTool, inputs: [], outputs: [], ${env}}`;
    const outer = `{id: main, class: Workflow, inputs: [], outputs: [], ${env}, steps: {s: {run: '#t', in: [], out: []}}}`;
    const text = `cwlVersion: v1.2\n$graph: [${outer}, ${inner}]\n`;
    const process = await load({ 'g.cwl': text }, 'file:///g.cwl', { jobRequirements: job.requirements as Node });
    const fieldsOf = ({ requirements }: Process) => requirements.map(({ fields }) => fields);
    expect(fieldsOf(process)).toEqual([{ envDef: [{ envName: 'A', envValue: 'new' }] }]);
    expect(fieldsOf((process as Workflow).steps[0]?.run as Process)).toEqual([
      { envDef: [{ envName: 'A', envValue: 'old' }] },
    ]);
  });
});

describe('references between documents', () => {
  const workflow = (run: string): string =>
    `cwlVersion: v1.2\nclass: Workflow\ninputs: {w: string}\noutputs: {o: {type: File, outputSource: s/o}}\nsteps: {s: {run: ${run}, in: {x: w}, out: [o]}}\n`;

  it('follows run, relative and remote, once for each document', async () => {
    const texts = { 'a.cwl': workflow('sub/tool.cwl'), 'file:///sub/tool.cwl': tool() };
    expect((await load(texts)) as Workflow).toMatchObject({
      steps: [{ name: 's', run: { id: 'file:///sub/tool.cwl' } }],
    });
    const remote = { 'a.cwl': workflow('https://h/tool.cwl'), 'https://h/tool.cwl': tool() };
    expect((await load(remote)) as Workflow).toMatchObject({ steps: [{ run: { id: 'https://h/tool.cwl' } }] });
  });

  it('puts $import, $include and $mixin in place', async () => {
    const process = await load({
      'a.cwl': tool(
        'requirements:\n  InlineJavascriptRequirement: {expressionLib: [{$include: lib.js}]}\n  ResourceRequirement: {$mixin: res.yml, coresMin: 4}\nstdout: {$import: name.yml}\n',
      ),
      'lib.js': 'var a = "$(not evaluated)";\n',
      'res.yml': 'coresMin: 1\nramMin: 100\n',
      'name.yml': 'out.txt',
    });
    expect(process).toMatchObject({
      stdout: 'out.txt',
      requirements: [
        { fields: { expressionLib: ['var a = "$(not evaluated)";\n'] } },
        { fields: { coresMin: 4, ramMin: 100 } },
      ],
    });
  });

  const packed = `cwlVersion: v1.2
$graph:
  - {id: '#echo', class: CommandLineTool, baseCommand: echo, inputs: [{id: '#echo/x', type: string}], outputs: [{id: '#echo/o', type: stdout}]}
  - id: '#main'
    class: Workflow
    inputs: [{id: '#main/w', type: string}]
    outputs: [{id: '#main/o', type: File, outputSource: '#main/s/o'}]
    steps: [{id: '#main/s', run: '#echo', in: [{id: '#main/s/x', source: '#main/w'}], out: ['#main/s/o']}]
`;

  it('reads packed documents, main by itself and others by name', async () => {
    expect(await load({ 'a.cwl': packed })).toMatchObject({
      id: 'file:///a.cwl#main',
      outputs: [{ id: 'o', outputSource: ['s/o'] }],
      steps: [{ name: 's', run: { id: 'file:///a.cwl#echo' }, in: [{ id: 'x', source: ['w'] }], out: ['o'] }],
    });
    expect(await load({ 'a.cwl': packed }, 'file:///a.cwl#echo')).toMatchObject({ class: 'CommandLineTool' });
    await expect(load({ 'a.cwl': packed }, 'file:///a.cwl#ecko')).rejects.toMatchObject({
      code: 'cwl/no-such-process',
      hint: 'did you mean "echo"?',
    });
    await expect(load({ 'a.cwl': packed.replaceAll('main', 'wf') })).rejects.toMatchObject({
      code: 'cwl/no-such-process',
      hint: expect.stringContaining('#wf'),
    });
  });

  it('runs a process that a step holds by its path', async () => {
    const inner = `{class: CommandLineTool, inputs: {x: string}, outputs: {o: stdout}}`;
    expect(await load({ 'a.cwl': workflow(inner) }, 'file:///a.cwl#s')).toMatchObject({ class: 'CommandLineTool' });
  });

  it('says where a document is missing, and reports the rest too', async () => {
    const error: unknown = await load({ 'a.cwl': workflow('tool.cwl').replace('w: string', 'w: sting') }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(InvalidDocumentError);
    const shown = (error as InvalidDocumentError).problems.map(renderProblem).join('\n');
    expect(shown).toContain('a.cwl:5:18: error: cannot load file:///tool.cwl');
    expect(shown).toContain(
      'unknown type "sting"\n  inputs: {w: sting}\n              ^~~~~\n  did you mean "string"?',
    );
  });

  it.each([
    ['a workflow that runs itself', { 'a.cwl': workflow('a.cwl') }, 'cannot run itself'],
    ['an $import of the same document', { 'a.cwl': 'class: {$import: a.cwl}' }, 'leads back'],
    [
      'a circle of $import',
      { 'a.cwl': 'class: {$import: b.yml}', 'b.yml': '$import: c.yml', 'c.yml': 'x: {$import: b.yml}' },
      'leads back',
    ],
    ['an $import of a number', { 'a.cwl': 'class: {$import: 1}' }, 'expected a URI reference'],
    ['an $include beside other fields', { 'a.cwl': 'class: {$include: b, x: 1}' }, 'must be the only field'],
    ['an $include that is missing', { 'a.cwl': 'class: {$include: b}' }, '$include: nothing at file:///b'],
    [
      'a local file from a remote document',
      { 'a.cwl': workflow('https://h/t.cwl'), 'https://h/t.cwl': tool('doc: {$include: file:///etc/passwd}') },
      'may not refer to the local file',
    ],
  ])('refuses %s', async (_what, texts, message) => {
    await expect(load(texts as unknown as Texts)).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });

  it.each([
    [
      'a default',
      'inputs: {f: {type: File, default: {class: File, location: "file:///etc/passwd"}}}',
      'file:///etc/passwd',
    ],
    ['a path', 'inputs: {f: {type: File, default: {class: File, path: /etc/passwd}}}', '/etc/passwd'],
    [
      'a default in a list',
      'inputs: {f: {type: "Directory[]", default: [{class: Directory, location: "file:///etc"}]}}',
      'file:///etc',
    ],
    [
      'a secondary file',
      'inputs: {f: {type: File, default: {class: File, location: x, secondaryFiles: [{class: File, path: /y}]}}}',
      '/y',
    ],
    [
      'a listing',
      'inputs: []\nrequirements: {InitialWorkDirRequirement: {listing: [{class: File, location: "file:///etc/passwd"}]}}',
      'file:///etc/passwd',
    ],
    ['dockerLoad', 'inputs: []\nhints: {DockerRequirement: {dockerLoad: "file:///i.tar"}}', 'file:///i.tar'],
    ['dockerImport', 'inputs: []\nhints: {DockerRequirement: {dockerImport: "file:///i.tar"}}', 'file:///i.tar'],
    [
      'the context of a build',
      'inputs: []\n$namespaces: {hm: "urn:hallmark:cwl#"}\nhints: {"hm:ImageBuild": {context: "file:///r.git"}}',
      'file:///r.git',
    ],
    [
      'the folder of a build',
      'inputs: []\n$namespaces: {hm: "urn:hallmark:cwl#"}\nhints: {"hm:ImageBuild": {context: {class: Directory, path: /r}}}',
      '/r',
    ],
  ])('from elsewhere names no file of this machine: %s', async (_what, fields, named) => {
    const uri = 'https://h/t.cwl';
    const text = `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\noutputs: []\n${fields}\n`;
    const error: unknown = await load({ [uri]: text }, uri).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: `expected a file beside ${uri}, or a public URL, got the local file "${named}"`,
      hint: 'download the document, or leave the value to the inputs',
      where: { file: uri, line: expect.any(Number), column: expect.any(Number) },
    });
    await expect(load({ 'a.cwl': text })).resolves.toBeDefined();
  });

  it('from elsewhere names what lies beside it', async () => {
    const uri = 'https://h/d/t.cwl';
    const fields = 'inputs: {f: {type: File, default: {class: File, path: x y.txt}}}';
    const text = `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\noutputs: []\n${fields}\n`;
    const { inputs } = await load({ [uri]: text }, uri);
    expect(inputs[0]?.default).toEqual({ class: 'File', location: 'https://h/d/x%20y.txt' });
  });

  it('of a step from elsewhere names no file of this machine', async () => {
    const uri = 'https://h/w.cwl';
    const text = workflow('t.cwl').replace('in: {x: w}', 'in: {x: {default: {class: File, path: /etc/passwd}}}');
    const texts = { [uri]: text, 'https://h/t.cwl': tool().replace('x: string', 'x: File') };
    expect(await problemsOf(texts, uri)).toEqual([
      `expected a file beside ${uri}, or a public URL, got the local file "/etc/passwd"`,
    ]);
  });

  it('knows what it read, and never asks for $schemas', async () => {
    const texts = {
      'file:///a.cwl': `${workflow('t.cwl')}$schemas: [https://never.example/x.owl, l.owl]\n`,
      'file:///t.cwl': tool('doc: {$include: t.txt}'),
      'file:///t.txt': 'x',
    };
    const loaded = await loadDocument('file:///a.cwl', { fetcher: createMemoryFetcher(texts) });
    expect(loaded.sources).toEqual(['file:///a.cwl', 'file:///t.cwl', 'file:///t.txt']);
    expect(loaded.schemas).toEqual(['https://never.example/x.owl', 'file:///l.owl']);
  });
});

const warningsOf = async (text: string, others: Readonly<Record<string, string>> = {}) => {
  const files = Object.entries({ ...others, 'main.cwl': text }).map(([name, content]) => [`file:///${name}`, content]);
  const { warnings } = await loadDocument('file:///main.cwl', {
    fetcher: createMemoryFetcher(Object.fromEntries(files)),
  });
  return warnings.filter(({ rule }) => rule !== 'unused');
};

describe('what is wrong with a document', () => {
  it.each([
    ['an argument', 'arguments: ["$(inputs.x"]', 4, '$(inputs.x', ')'],
    ['a function', 'stdout: "${return 1;"', 4, '${return 1;', '}'],
    ['a quote', `hints: {ResourceRequirement: {coresMin: "$(inputs['x)"}}`, 4, "$(inputs['x)", ')'],
  ])('is an expression without an end: %s', async (_what, field, line, text, expected) => {
    const document = `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: x\n${field}\ninputs: []\noutputs: []\n`;
    await expect(loadTool(document)).rejects.toMatchObject({
      code: 'cwl/invalid-document',
      message: `expression ${JSON.stringify(text)} has no end: expected "${expected}"`,
      hint: expect.stringContaining('close it'),
      where: { line },
    });
    const escaped = document.replace(field, 'arguments: ["\\\\$(ls", "$HOME", "$(inputs.a)(", "$(inputs[\\"x)\\"])"]');
    await expect(loadTool(escaped)).resolves.toBeDefined();
  });

  it('is said all at once, each with its place', async () => {
    const text = `cwlVersion: v1.2
class: CommandLineTool
baseComand: echo
inputs:
  x: Fil
  y: {type: string, inputBinding: {position: first}}
outputs: {o: {type: stdout, outputBiding: {}}}
stdout: 5
`;
    const error: unknown = await loadTool(text).catch((thrown: unknown) => thrown);
    const problems = error instanceof InvalidDocumentError ? error.problems : [];
    expect(problems.map(({ position, message, hint }) => [position.line, position.column, message, hint])).toEqual([
      [3, 1, 'unknown field "baseComand" in CommandLineTool', 'did you mean "baseCommand"?'],
      [5, 6, 'unknown type "Fil"', 'did you mean "File"?'],
      [6, 46, 'expected an integer or an expression, got the string "first"', undefined],
      [7, 29, 'unknown field "outputBiding" in CommandOutputParameter', 'did you mean "outputBinding"?'],
      [8, 9, 'expected a string or an expression, got the number 5', undefined],
    ]);
    expect(error).toMatchObject({
      code: 'cwl/invalid-document',
      message: expect.stringContaining('(and 4 more)'),
      where: { line: 3 },
    });
  });

  it('stands at the name that is wrong, and where a step has nothing to run, too', async () => {
    const text = `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {w: string}
steps:
  a:
    run: {class: CommandLineTool, inputs: {x: string}, outputs: {o: {type: stdot}}}
    in: {x: {source: v}}
    scatter: y
    out: [o, {id: p}]
  b:
    in: {x: a/q}
    out: []
outputs: {o: {type: int, outputSource: w}}
`;
    const error: unknown = await loadTool(text).catch((thrown: unknown) => thrown);
    const problems = error instanceof InvalidDocumentError ? error.problems : [];
    expect(problems.map(({ position, message, hint }) => [position.line, position.column, message, hint])).toEqual([
      [7, 76, 'unknown type "stdot"', 'did you mean "stdout"?'],
      [8, 22, 'input "x" of step "a" has an unknown source "v"', 'did you mean "w"?'],
      [9, 14, 'step "a" scatters over "y", which is not in its "in"', 'did you mean "x"?'],
      [10, 14, 'step "a" has no output "p"', 'did you mean "o"?'],
      [12, 5, 'WorkflowStep needs the field "run"', undefined],
      [12, 13, 'input "x" of step "b" has an unknown source "a/q"', 'did you mean "a/o"?'],
      [14, 40, 'source "w" of type string does not fit workflow output "o" of type int', undefined],
    ]);
  });

  it('is told once where a version is not supported', async () => {
    const inner = '{class: ExpressionTool, inputs: [], outputs: [], expression: "$({})"}';
    const text = `cwlVersion: draft-3\nclass: Workflow\ninputs: []\noutputs: []\nsteps: {s: {run: ${inner}, in: {}, out: []}}\n`;
    const error: unknown = await loadTool(text).catch((thrown: unknown) => thrown);
    expect(error instanceof InvalidDocumentError && error.problems.map(({ rule }) => rule)).toEqual(['version']);
  });

  it.each([
    ['class: CommandLineTool', 'the document needs the field "cwlVersion"'],
    ['cwlVersion: v1.2', 'a process needs the field "class"'],
    ['cwlVersion: v1.2\nclass: CommandLinTool', 'unknown class of process, got the string "CommandLinTool"'],
    ['cwlVersion: draft-3\nclass: CommandLineTool', 'unsupported cwlVersion "draft-3"'],
    [tool('requirements: {DockerRequirment: {}}'), 'unknown requirement "DockerRequirment"'],
    [tool('requirements: [{dockerPull: x}]'), 'a requirement needs the field "class", got a mapping'],
    [
      tool('requirements: {ResourceRequirement: 4}'),
      'expected a mapping of the fields of ResourceRequirement, got the number 4',
    ],
    [tool('requirements: {NetworkAccess: {networkAccess: true}}', 'v1.0'), 'NetworkAccess is not in CWL v1.0'],
    [tool('intent: [x]', 'v1.1'), 'field "intent" is not in CWL v1.1'],
    [tool('successCodes: [1.5]'), 'expected an integer, got the number 1.5'],
    [tool().replace('{x: string}', '[{id: x, type: string}, {id: x, type: int}]'), 'duplicate input "x"'],
    [
      tool().replace('{x: string}', '{x: {type: array, items: string}}'),
      'unknown field "items" in CommandInputParameter',
    ],
    [
      tool().replace('x: string', 'x: {type: [string, {type: enum, symbol: [a]}]}'),
      'unknown field "symbol" in EnumSchema',
    ],
    [
      tool().replace('x: string', 'x: {type: {type: record, fields: [{type: int}]}}'),
      'RecordField needs the field "name"',
    ],
    [tool().replace('x: string', 'x: []'), 'expected a type, got an empty list'],
    [tool().replace('x: string', 'x: stdout'), 'unknown type "stdout"'],
    [tool('stdin: a').replace('x: string', 'x: stdin'), 'stdin is set here and by the input "x" of type stdin'],
  ])('for %j is %j', async (text, message) => {
    expect(await problemsOf({ 'a.cwl': text })).toContain(message);
  });

  it('of requirements from elsewhere has its own code', async () => {
    const text = tool('requirements: {"http://example.org/x#Special": {}}');
    await expect(loadTool(text)).rejects.toMatchObject({
      code: 'cwl/unsupported-requirement',
      message: expect.stringContaining('is not supported'),
    });
    expect((await loadTool(text.replace('requirements', 'hints'))).hints).toMatchObject([
      { class: 'http://example.org/x#Special' },
    ]);
  });

  it('is a warning where the reader is lenient', async () => {
    const fetcher = createMemoryFetcher({ 'file:///a.cwl': tool('unknown: 1\n') });
    await expect(loadDocument('file:///a.cwl', { fetcher })).rejects.toMatchObject({ code: 'cwl/invalid-document' });
    const { warnings } = await loadDocument('file:///a.cwl', { fetcher, strict: false });
    expect(warnings).toMatchObject([{ rule: 'unknown-field', severity: 'warning' }]);
  });

  it('is a warning where an expression names an input that is not there', async () => {
    const text = tool('arguments: [$(inputs.xx.y), "a $(inputs[\'x\'])", $(inputs.z || 1)]\nstdout: $(inputs.x)\n');
    expect(await warningsOf(`${text}hints: {InlineJavascriptRequirement: {}}\n`)).toMatchObject([
      { rule: 'expression', hint: 'did you mean "x"?', position: { line: 6, column: 13 } },
    ]);
  });

  it.each([
    ['$(inputs.x +)', /^"\$\(inputs\.x \+\)" is no JavaScript: Unexpected token '\)'$/],
    ['a ${ retrun 1; } b', /^"\$\{ retrun 1; \}" is no JavaScript: Unexpected/],
    ['$(date +%F)', /^"\$\(date \+%F\)" is no JavaScript/],
  ])('is a warning where %s is no JavaScript', async (expression, message) => {
    const text = tool(`requirements: {InlineJavascriptRequirement: {}}\narguments: [${JSON.stringify(expression)}]`);
    expect(await warningsOf(text)).toMatchObject([
      { rule: 'expression', message: expect.stringMatching(message), hint: expect.stringContaining('for a shell') },
    ]);
  });

  it.each([
    '$(inputs.x.split(",").map(s => s.trim()))',
    '${ const f = (a) => a ?? 1; return { b: f(inputs.x) }; }',
    '$({class: "File", basename: inputs.x})',
    '$(inputs.x // the first\n)',
    '\\$(not code) and $(inputs["x"])',
  ])('is none where %s is JavaScript or none', async (expression) => {
    const text = tool(`requirements: {InlineJavascriptRequirement: {}}\narguments: [${JSON.stringify(expression)}]`);
    expect(await warningsOf(text)).toEqual([]);
  });

  it('is a warning where JavaScript is nothing that the process or what is around it asks for', async () => {
    const text = tool('arguments: ["$(inputs.x + 1)", "$(inputs.x)"]');
    expect(await warningsOf(text)).toMatchObject([
      {
        message: 'an expression is JavaScript, which nothing here asks for',
        hint: 'add "InlineJavascriptRequirement: {}" to the requirements',
        position: { line: 6, column: 14 },
      },
    ]);
    const around = (requirements: string) => `cwlVersion: v1.2
class: Workflow
requirements: {${requirements}}
inputs: {x: string}
outputs: []
steps: {s: {run: a.cwl, in: {x: {source: x, valueFrom: "$(self + 1)"}}, out: []}}
`;
    const messages = async (requirements: string) =>
      (await warningsOf(around(`StepInputExpressionRequirement: {}${requirements}`), { 'a.cwl': text })).length;
    expect(await messages('')).toBe(2);
    expect(await messages(', InlineJavascriptRequirement: {}')).toBe(0);
  });

  it('is a warning where only a File could have a field', async () => {
    const fields = `
  a: {type: 'string[]', secondaryFiles: .bai}
  b: {type: ['null', int], format: 'http://x/y', loadContents: true, streamable: false}
  c: {type: 'File[]?', secondaryFiles: .bai}
  d: {type: Any, format: 'http://x/y'}
  e: {type: {type: record, fields: {f: File}}, secondaryFiles: .bai}
`;
    const warnings = await warningsOf(tool().replace('{x: string}', fields));
    expect(warnings.map(({ message }) => message)).toEqual([
      'secondaryFiles of "a" is of no use: string[] holds no File',
      'format of "b" is of no use: int? holds no File',
      'loadContents of "b" is of no use: int? holds no File',
    ]);
  });

  it('is a warning where a default does not fit its type', async () => {
    const fields =
      "x: {type: int, default: three}, y: {type: 'int[]', default: [1, 2.0]}, z: {type: int, default: null}";
    const warnings = await warningsOf(tool().replace('x: string', fields));
    expect(warnings.map(({ message, hint, position }) => [message, hint, position.column])).toEqual([
      ['the default of x does not fit: expected int, got the string "three"', undefined, 34],
      ['the default of y[1] does not fit: expected int, got the number 2.0', expect.stringMatching(/^write 2: /), 74],
    ]);
  });

  it.each([
    ['', 'expected a CWL document, got nothing (null)', 1],
    ['- a\n', 'expected a CWL document, got a list', 1],
    ['cwlVersion: v1.2\n$graph: []\n', 'expected a CWL document, got a "$graph" without a process', 1],
    [
      'cwlVersion: v1.2\n$graph: [{class: Workflow, id: a}, {class: Workflow, id: b}]\n',
      '/a.cwl holds several processes and none is "main"',
      2,
    ],
  ])('that is none, as %j, is said at its place', async (text, message, line) => {
    await expect(loadTool(text)).rejects.toMatchObject({ code: 'cwl/no-such-process', message, where: { line } });
  });

  it('may hold no main process where it is only looked at as a whole', async () => {
    const one = (id: string, more = '') =>
      `- {class: CommandLineTool, id: ${id}, inputs: [], outputs: [], baseCommand: x${more}}\n`;
    const load = (text: string) =>
      loadDocument('file:///a.cwl', { fetcher: createMemoryFetcher({ 'file:///a.cwl': text }), whole: true });
    const graph = `cwlVersion: v1.2\n$graph:\n${one('a')}`;
    expect((await load(graph + one('b'))).warnings).toEqual([]);
    await expect(load(graph + one('b', ', basCommand: y'))).rejects.toMatchObject({ where: { line: 4 } });
  });

  it('is a warning where YAML took an expression for a key', async () => {
    const fetcher = createMemoryFetcher({ 'file:///a.cwl': tool('arguments:\n  - $(inputs.x ? "a" : null)\n') });
    const { warnings } = await loadDocument('file:///a.cwl', { fetcher });
    expect(warnings).toMatchObject([
      { rule: 'unknown-field', hint: expect.stringContaining('put the expression in quotes') },
    ]);
  });

  it('of types that contain themselves is found', async () => {
    const types = "requirements: {SchemaDefRequirement: {types: [{name: A, type: record, fields: {a: 'A[]'}}]}}";
    expect(await problemsOf({ 'a.cwl': tool(types) })).toContain('a type cannot contain itself');
  });
});
