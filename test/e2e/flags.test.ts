import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunner, type Ended, type Runner } from './runner.ts';

/** Every flag of a run does something that can be seen. Those of containers alone are in container-flags.test.ts. */
let runner: Runner;
beforeAll(() => {
  runner = createRunner('flags');
  for (const [name, content] of Object.entries(files)) runner.write(name, content);
});
afterAll(() => runner.remove());

const files = {
  'word.txt': 'hello\n',
  'say.cwl': `#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
doc: Says a word.
baseCommand: [sh, -c, 'echo "$0"; echo "to err" >&2']
inputs: {word: {type: string, doc: What to say., inputBinding: {}}}
outputs: {out: stdout}
stdout: said.txt
`,
  'flow.cwl': `
cwlVersion: v1.2
class: Workflow
requirements: {StepInputExpressionRequirement: {}, ScatterFeatureRequirement: {}}
inputs: {first: string, second: string}
outputs:
  one: {type: File, outputSource: say/out}
  two: {type: File, outputSource: other/out}
steps:
  say:
    run: say.cwl
    in: {word: {source: first, valueFrom: $(self)!}}
    out: [out]
  other: {run: say.cwl, in: {word: second}, out: [out]}
`,
  'cat.cwl': `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: cat
inputs: {file: {type: File, inputBinding: {}}}
outputs: {out: stdout}
`,
  'env.cwl': `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'echo "\${MARK-none}" "\${OTHER-none}"; pwd']
inputs: []
outputs: {out: {type: string, outputBinding: {glob: out, loadContents: true, outputEval: '$(self[0].contents)'}}}
stdout: out
`,
  'fails.cwl': `
cwlVersion: v1.2
class: Workflow
inputs: []
outputs: {good: {type: File, outputSource: good/out}}
steps:
  bad: {run: {class: CommandLineTool, baseCommand: "false", inputs: [], outputs: []}, in: [], out: []}
  good: {run: say.cwl, in: {word: {default: late}}, out: [out]}
`,
  'slow.cwl': `
cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: []
outputs: {out: int}
expression: '\${ while (true) {} }'
`,
  'odd.cwl': 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: "true"\ninputs: []\noutputs: []\nodd: 1\n',
  'formats.cwl': `
cwlVersion: v1.2
class: CommandLineTool
$schemas: [absent.owl]
baseCommand: cat
inputs: {file: {type: File, format: "http://example.org/a", inputBinding: {}}}
outputs: []
`,
  'draft.cwl': 'cwlVersion: v1.3.0-dev1\nclass: CommandLineTool\nbaseCommand: "true"\ninputs: []\noutputs: []\n',
  'job.yml': 'first: a\nsecond: b\n',
  'word.yml': 'word: hello\n',
  'file.yml': 'file: {class: File, path: word.txt}\n',
  'formatted.yml': 'file: {class: File, path: word.txt, format: "http://example.org/b"}\n',
  'overrides.yml': `
cwltool:overrides:
  env.cwl: {requirements: {EnvVarRequirement: {envDef: {MARK: overridden}}}}
`,
  'names.cwl': `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: {name: {type: string, inputBinding: {}}, wait: {type: boolean, inputBinding: {prefix: waited}}}
outputs: {out: {type: string, outputBinding: {glob: out, loadContents: true, outputEval: '$(self[0].contents)'}}}
stdout: out
`,
};

type Check = (ended: Ended & { readonly json: () => Record<string, { [field: string]: unknown }> }) => unknown;

interface Case {
  readonly args: string;
  readonly code?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly check: Check;
}

async function run({ args, code = 0, env = {}, check }: Case): Promise<void> {
  const ended = await runner.run(args.split(' '), { env });
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toMatchObject({ exitCode: code });
  await check({ ...ended, json: () => JSON.parse(ended.stdout) });
}

const at = (...path: string[]): string => join(runner.folder, ...path);
const read = (...path: string[]): string => readFileSync(at(...path), 'utf8');

describe('flags of outputs and messages', () => {
  it.each<[string, Case]>([
    ['--outdir', { args: '--outdir o say.cwl --word x', check: () => expect(read('o/said.txt')).toBe('x\n') }],
    [
      '--basedir',
      { args: '--outdir o --basedir . cat.cwl sub/file.yml', check: ({ json }) => expect(json().out?.size).toBe(6) },
    ],
    [
      '--leave-outputs',
      {
        args: '--outdir left --leave-outputs say.cwl --word left',
        check({ json }) {
          expect(json().out).toMatchObject({ location: expect.stringMatching(/^keep:.*\/said\.txt$/), size: 5 });
          expect(json().out?.checksum).toMatch(/^sha1\$/);
          expect(existsSync(at('left'))).toBe(false);
        },
      },
    ],
    [
      '--move-outputs',
      {
        args: '--outdir moved --move-outputs say.cwl --word x',
        check: () => expect(read('moved/said.txt')).toBe('x\n'),
      },
    ],
    [
      '--copy-outputs',
      { args: '--outdir kept --copy-outputs say.cwl --word x', check: () => expect(read('kept/said.txt')).toBe('x\n') },
    ],
    [
      '--compute-checksum',
      {
        args: '--outdir o --compute-checksum say.cwl --word x',
        check: ({ json }) => expect(json().out).toHaveProperty('checksum'),
      },
    ],
    [
      '--no-compute-checksum',
      {
        args: '--outdir o --no-compute-checksum say.cwl --word x',
        check: ({ json }) => expect(json().out).not.toHaveProperty('checksum'),
      },
    ],
    [
      '--write-summary',
      {
        args: '--outdir o --write-summary summary.json say.cwl --word x',
        check: ({ stdout }) => expect(read('summary.json')).toBe(stdout),
      },
    ],
    [
      '--log-dir',
      {
        args: '--outdir o --log-dir logs --disable-reuse flow.cwl job.yml',
        check() {
          expect(read('logs/say/said.txt')).toBe('a!\n');
          expect(read('logs/other/stderr.txt')).toBe('to err\n');
        },
      },
    ],
    [
      '--quiet',
      { args: '--outdir o --quiet --leave-container say.cwl --word x', check: ({ stderr }) => expect(stderr).toBe('') },
    ],
    [
      '--verbose',
      { args: '--outdir o --verbose say.cwl --word x', check: ({ stderr }) => expect(stderr).toMatch(/step say\.cwl/) },
    ],
    [
      '--debug',
      { args: '--debug say.cwl --word', code: 2, check: ({ stderr }) => expect(stderr).toMatch(/\n +at .*\.ts:\d+/) },
    ],
    [
      '--timestamps',
      {
        args: '--outdir o --timestamps say.cwl --word x',
        check: ({ stderr }) => expect(stderr).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z .*step say\.cwl/m),
      },
    ],
    [
      '--log-timestamps',
      {
        args: '--outdir o --log-timestamps say.cwl --word x',
        check: ({ stderr }) => expect(stderr).toMatch(/^\d{4}-\d\d-/m),
      },
    ],
    [
      '--json',
      {
        args: '--json none.cwl',
        code: 1,
        check: ({ stderr }) => expect(JSON.parse(stderr).code).toBe('cwl/not-found'),
      },
    ],
    ...['--usage', '--metrics', '--enable-usage-report'].map((flag): [string, Case] => [
      flag,
      {
        args: `--outdir o ${flag} say.cwl --word x`,
        check: ({ stderr }) => expect(stderr).toMatch(/step +wall s +CPU s/),
      },
    ]),
    [
      '--disable-usage-report',
      {
        args: '--outdir o --disable-usage-report say.cwl --word x',
        check: ({ stderr }) => expect(stderr).not.toMatch('CPU s'),
      },
    ],
    [
      '--name',
      {
        args: '--outdir o --name mine say.cwl --word x',
        check: async () => expect((await runner.run(['runs'])).stdout).toMatch(/ mine\b/),
      },
    ],
    [
      '--no-warnings',
      { args: '--validate --no-strict --no-warnings odd.cwl', check: ({ stderr }) => expect(stderr).toBe('') },
    ],
  ])('%s', async (_flag, item) => {
    mkdirSync(at('sub'), { recursive: true });
    runner.write('sub/file.yml', files['file.yml']);
    await run(item);
  });
});

describe('flags of the run', () => {
  it.each<[string, Case]>([
    [
      '--on-error=continue',
      {
        args: '--outdir o --disable-reuse --on-error=continue --parallel-max 1 fails.cwl',
        code: 1,
        check: ({ stderr, json }) => {
          expect(stderr).toMatch(/done +step good/);
          expect(json()).toMatchObject({ good: { class: 'File' } });
        },
      },
    ],
    [
      '--parallel',
      { args: '--outdir o --parallel say.cwl --word x', check: ({ json }) => expect(json()).toHaveProperty('out') },
    ],
    [
      '--enable-reuse',
      {
        args: '--outdir o --enable-reuse say.cwl --word again',
        check: async () => {
          const { stderr } = await runner.run(['--outdir', 'o', 'say.cwl', '--word', 'again']);
          expect(stderr).toMatch('step say.cwl: reused');
        },
      },
    ],
    [
      '--disable-reuse',
      {
        args: '--outdir o say.cwl --word anew',
        check: async () => {
          const { stderr } = await runner.run(['--outdir', 'o', '--disable-reuse', 'say.cwl', '--word', 'anew']);
          expect(stderr).not.toMatch('reused');
        },
      },
    ],
    [
      '--cachedir',
      {
        args: '--outdir o --cachedir cache say.cwl --word x',
        check: () => expect(existsSync(at('cache/cluster.sqlite'))).toBe(true),
      },
    ],
    [
      '--eval-timeout',
      {
        args: '--eval-timeout 0.2 slow.cwl',
        code: 1,
        check: ({ stderr }) => expect(stderr).toMatch(/an expression has 0\.2 s/),
      },
    ],
    [
      '--target',
      {
        args: '--outdir o --target one flow.cwl job.yml',
        check: ({ json }) => expect(Object.keys(json())).toEqual(['one']),
      },
    ],
    [
      '--single-step',
      {
        args: '--outdir alone --single-step say flow.cwl --word x',
        check({ json }) {
          expect(Object.keys(json())).toEqual(['out']);
          expect(read('alone/said.txt')).toBe('x!\n');
        },
      },
    ],
    [
      '--single-process',
      {
        args: '--outdir bare --single-process say flow.cwl --word x',
        check: () => expect(read('bare/said.txt')).toBe('x\n'),
      },
    ],
    [
      '--preserve-environment',
      {
        args: '--outdir o --preserve-environment MARK env.cwl',
        env: { MARK: 'kept', OTHER: 'lost' },
        check: ({ json }) => expect(json().out).toMatch(/^kept none\n/),
      },
    ],
    [
      '--preserve-entire-environment',
      {
        args: '--outdir o --preserve-entire-environment env.cwl',
        env: { MARK: 'kept', OTHER: 'too' },
        check: ({ json }) => expect(json().out).toMatch(/^kept too\n/),
      },
    ],
    ...['--tmpdir-prefix', '--tmp-outdir-prefix'].map((flag): [string, Case] => [
      flag,
      {
        args: `--outdir o --disable-reuse ${flag} here/tmp- env.cwl`,
        check: ({ json }) => expect(json().out).toContain(`\n${at('here/tmp-hallmark')}/`),
      },
    ]),
    [
      '--leave-tmpdir',
      {
        args: '--outdir o --disable-reuse --leave-tmpdir --tmpdir-prefix kept/ env.cwl',
        check({ stderr }) {
          expect(stderr).toContain(`scratch folders are left in ${at('kept/hallmark/left')}`);
          expect(readdirSync(at('kept/hallmark/left'))).toHaveLength(1);
        },
      },
    ],
    [
      '--rm-tmpdir',
      {
        args: '--outdir o --disable-reuse --rm-tmpdir --tmpdir-prefix gone/ env.cwl',
        check: () => expect(existsSync(at('gone/hallmark/left'))).toBe(false),
      },
    ],
    ['--plan', { args: '--plan say.cwl --word new', check: ({ stdout }) => expect(stdout).toMatch(/say\.cwl +run/) }],
    ...(
      [
        ['--priority', '7', { priority: 7 }],
        ['--intermediate-output-ttl', '3600', { output_ttl: 3600 }],
        ['--intermediate-storage-classes', 'hot,cold', { output_storage_classes: null }],
        ['--enable-preemptible', '--parallel', { scheduling_parameters: { preemptible: true } }],
        ['--disable-preemptible', '--parallel', { scheduling_parameters: { preemptible: false } }],
      ] as const
    ).map(([flag, value, expected]): [string, Case] => [
      flag,
      {
        args: `--outdir o ${flag} ${value} say.cwl --word ${flag.slice(2)}`,
        check: async () => expect(await newestRequest()).toMatchObject(expected),
      },
    ]),
    [
      '--no-container',
      { args: '--outdir o --no-container say.cwl --word x', check: ({ json }) => expect(json()).toHaveProperty('out') },
    ],
  ])('%s', (_flag, item) => run(item));
});

const newestRequest = () =>
  runner.withRecords(async (cluster) => {
    const order = ['created_at desc'];
    const { items } = await cluster.list('container_requests', { filters: [['state', '=', 'Final']], order, limit: 1 });
    return items[0];
  });

describe('flags of the document', () => {
  it.each<[string, Case]>([
    [
      '--validate',
      { args: '--validate say.cwl', check: ({ stdout }) => expect(stdout).toMatch(/say\.cwl is valid CWL\.\n$/) },
    ],
    ['--print-dot', { args: '--print-dot flow.cwl', check: ({ stdout }) => expect(stdout).toMatch(/^digraph/) }],
    ['--print-pre', { args: '--print-pre say.cwl', check: ({ json }) => expect(json().class).toBe('CommandLineTool') }],
    ['--pack', { args: '--pack flow.cwl', check: ({ json }) => expect(json().$graph).toHaveLength(2) }],
    [
      '--print-deps',
      {
        args: '--print-deps flow.cwl',
        check: ({ json }) =>
          expect(json()).toMatchObject({ location: 'flow.cwl', secondaryFiles: [{ location: 'say.cwl' }] }),
      },
    ],
    [
      '--relative-deps',
      {
        args: '--print-deps --relative-deps=cwd sub/../flow.cwl',
        check: ({ json }) => expect(json().location).toBe('flow.cwl'),
      },
    ],
    [
      '--print-input-deps',
      {
        args: '--print-input-deps cat.cwl file.yml',
        check: ({ json }) =>
          expect(json()).toMatchObject({
            location: 'file.yml',
            secondaryFiles: [{ class: 'File', location: 'word.txt' }],
          }),
      },
    ],
    [
      '--print-targets',
      { args: '--print-targets flow.cwl', check: ({ stdout }) => expect(stdout).toMatch(/^outputs:\n {2}one\n/) },
    ],
    [
      '--print-subgraph',
      {
        args: '--print-subgraph --single-step say flow.cwl',
        check: ({ json }) => expect(json().$graph?.[0]).toMatchObject({ inputs: [{ id: '#main/word' }] }),
      },
    ],
    ['--make-template', { args: '--make-template say.cwl', check: ({ stdout }) => expect(stdout).toMatch(/^word: /m) }],
    [
      '--tool-help',
      { args: '--tool-help say.cwl', check: ({ stdout }) => expect(stdout).toMatch(/--word +string {2}What to say/) },
    ],
    [
      '--print-supported-versions',
      { args: '--print-supported-versions', check: ({ stdout }) => expect(stdout).toContain('v1.2\n') },
    ],
    [
      '--overrides',
      {
        args: '--outdir o --overrides overrides.yml env.cwl',
        check: ({ json }) => expect(json().out).toMatch(/^overridden none\n/),
      },
    ],
    [
      '--strict',
      { args: '--validate --strict odd.cwl', code: 1, check: ({ stderr }) => expect(stderr).toMatch(/error: .*odd/) },
    ],
    ...['--no-strict', '--non-strict'].map((flag): [string, Case] => [
      flag,
      { args: `--validate ${flag} odd.cwl`, check: ({ stderr }) => expect(stderr).toMatch(/warning: .*odd/) },
    ]),
    [
      '--skip-schemas',
      {
        args: '--skip-schemas formats.cwl formatted.yml',
        code: 1,
        check: ({ stderr }) => expect(stderr).not.toContain('absent.owl'),
      },
    ],
    [
      '--enable-ext',
      { args: '--validate --enable-ext say.cwl', check: ({ stdout }) => expect(stdout).toMatch('valid') },
    ],
    [
      '--enable-dev',
      {
        args: '--validate --enable-dev draft.cwl',
        check: async () => expect((await runner.run(['--validate', 'draft.cwl'])).exitCode).not.toBe(0),
      },
    ],
    [
      '--relax-path-checks',
      { args: '--validate --relax-path-checks say.cwl', check: ({ stdout }) => expect(stdout).toMatch('valid') },
    ],
  ])('%s', (_flag, item) => run(item));
});

describe('flags of other runners', () => {
  it.each<[string, Case]>([
    [
      'without effect are told in one line',
      {
        args: '--outdir o --submit-runner-ram 2048 --no-wait say.cwl --word x',
        check: ({ stderr }) =>
          expect(stderr.match(/^warning: .* has no effect: .+$/gm)?.map((line) => line.split(' ')[1])).toEqual([
            '--submit-runner-ram',
            '--no-wait',
          ]),
      },
    ],
    [
      'that say what is so are silent',
      { args: '--validate --rm-container --local --wait say.cwl', check: ({ stderr }) => expect(stderr).toBe('') },
    ],
    [
      'that cannot be done are refused',
      {
        args: '--print-rdf say.cwl',
        code: 2,
        check: ({ stderr }) => expect(stderr).toMatch(/^--print-rdf is not supported\n {2}hint: RDF/),
      },
    ],
  ])('%s', (_what, item) => run(item));

  it('are inputs behind a document that has inputs of these names', async () => {
    const { stdout, stderr } = await runner.run(['names.cwl', '--name', 'x', '--wait', '--outdir', 'o']);
    expect(stderr).not.toContain('no effect');
    expect(JSON.parse(stdout).out).toMatch(/^(x waited|waited x)\n$/);
  });
});

describe('the inputs', () => {
  it.each(['-', '/dev/stdin', '<(cat)'])('may come through a pipe: %s', async (name) => {
    const through = ['bash', '-c', `echo '{"word": "piped"}' | "$@" ${name}`, 'bash'];
    const { stdout, exitCode } = await runner.run(['--quiet', '--outdir', 'o', 'say.cwl'], { through });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ out: { size: 6 } });
  });
});
