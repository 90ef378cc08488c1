import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadInline } from '../../../test/fakes/job-kit.ts';
import { HallmarkError } from '../../core/errors.ts';
import { cliError } from '../errors.ts';
import { commandLineSource, exitCodeOf, formatError, formatProblem, toErrorJson } from './report-error.ts';

let folder: string;
let document: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallmark-errors-'));
  document = join(folder, 'a b.cwl');
  writeFileSync(document, 'class: Workflow\nsteps: 3\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const error = (code: string, message = 'it failed', details = {}) => new HallmarkError(code, message, details);
const plain = (reason: unknown) => formatError(reason, { debug: false });

describe('an expression that failed', () => {
  const text = `cwlVersion: v1.2
class: CommandLineTool
doc: $(self.x)
arguments: [$(self.x)]
outputs:
  o:
    format: $(self.x)
    outputBinding:
      outputEval: |
        $(self.x)
`;
  const at = (field: string, more = {}) => {
    const file = join(folder, 'expressions.cwl');
    writeFileSync(file, text);
    const where = { file, line: 4, column: 1, field, expression: '$(self.x)', ...more };
    return plain(error('cwl/expression-failed', 'it failed', { where })).split('\n');
  };

  it.each([
    ['o.outputEval', 10, 9],
    ['o.format', 7, 13],
    ['arguments[0].valueFrom', 4, 13],
  ])('stands where it is written: %s in line %i', (field, line, column) => {
    const [first, , marker, last] = at(field);
    expect(first).toBe(`${join(folder, 'expressions.cwl')}:${line}:${column}: it failed`);
    expect(marker).toBe(`  | ${' '.repeat(column - 1)}^`);
    expect(last).toBe(`  field: ${field}`);
  });

  it('has the place of its process where it is not found, or the document cannot be read', () => {
    expect(at('o.format', { expression: '$(other)' })[0]).toMatch(/:4:1: it failed$/);
    expect(at('o.format', { file: join(folder, 'none.cwl') })[0]).toMatch(/none.cwl:4:1: it failed$/);
    expect(at('o.format', { file: 'https://h.example/x.cwl' })[0]).toBe('https://h.example/x.cwl:4:1: it failed');
  });

  it('a field without an expression stands where the document has it, from there on', () => {
    const file = join(folder, 'fields.cwl');
    writeFileSync(
      file,
      'hints:\n  R: {ramMin: 1}\nrequirements:\n  R:\n    coresMin: 2\n    ramMin: -5\nstdout: ../x\n',
    );
    const place = (field: string, line: number) =>
      plain(error('job/x', 'it failed', { where: { file, line, column: 3, field } })).split('\n')[0];
    expect(place('R.ramMin', 1)).toBe(`${file}:2:15: it failed`);
    expect(place('R.ramMin', 4)).toBe(`${file}:6:13: it failed`);
    expect(place('stdout', 1)).toBe(`${file}:7:9: it failed`);
    expect(place('stdin', 1)).toBe(`${file}:1:3: it failed`);
  });
});

describe('the exit code', () => {
  it.each<[number, unknown]>([
    [1, new Error('x')],
    [1, 'a text'],
    [1, error('run/step-failed')],
    [1, error('image/unsupported-instruction')],
    [1, cliError('cli/not-found', 'x')],
    [1, cliError('cli/bad-config', 'x')],
    [2, cliError('cli/usage', 'x')],
    [33, error('cwl/unsupported-requirement')],
    [33, error('job/unsupported-requirement')],
    [33, error('job/unsupported-process')],
    [33, error('run/step-failed', 'x', { cause: error('job/unsupported-requirement') })],
    [33, new Error('outer', { cause: error('cwl/unsupported-requirement') })],
  ])('is %i for %s', (code, reason) => {
    expect(exitCodeOf(reason)).toBe(code);
  });

  it('is 33 for a document that needs what is not supported', async () => {
    const loading = loadInline({
      class: 'CommandLineTool',
      requirements: { 'http://example.org/x#Strange': {} },
      baseCommand: 'x',
      inputs: {},
      outputs: {},
    });
    const reason: unknown = await loading.catch((failure: unknown) => failure);
    expect(exitCodeOf(reason)).toBe(33);
  });
});

describe('an error in text', () => {
  it('is its message alone where nothing else is known', () => {
    expect(plain(new Error('x'))).toBe('x');
    expect(plain('a text')).toBe('a text');
  });

  it('has place, source line, step, container and hint', () => {
    const where = {
      file: pathToFileURL(document).href,
      line: 2,
      column: 8,
      step: 'align[3]',
      container: 'zzzzz-dz642-000000000000000',
    };
    expect(plain(error('cwl/x', 'expected a map, got 3', { where, hint: 'write it so' }))).toBe(
      [
        `${document}:2:8: expected a map, got 3`,
        '  | steps: 3',
        '  |        ^',
        '  step: align[3]',
        '  container: zzzzz-dz642-000000000000000',
        '  hint: write it so',
      ].join('\n'),
    );
  });

  it.each([
    ['a file that is gone', { file: '/nowhere.cwl', line: 3 }, '/nowhere.cwl:3:1: it failed'],
    ['a line that is not there', { file: '', line: 3 }, 'it failed'],
    ['a file alone', { file: 'https://example/a.cwl' }, 'https://example/a.cwl: it failed'],
  ])('does without the source of %s', (_what, where, text) => {
    expect(plain(error('cwl/x', 'it failed', { where }))).toBe(text);
  });

  it('shows no credentials of a source line', () => {
    const file = join(folder, 'Dockerfile');
    writeFileSync(file, 'FROM a\nADD https://me:secret@host/x?token=secret /x\n');
    const text = plain(error('image/x', 'it failed', { where: { file, line: 2 } }));
    expect(text).toContain('  | ADD https://***@host/x?token=*** /x\n');
  });

  it('names the first cause, with its place and hint', () => {
    const cause = error('job/x', 'the glob is bad', { where: { file: document, line: 1 }, hint: 'mend it' });
    expect(plain(error('run/x', 'step a failed', { cause: error('run/y', 'outer', { cause }) }))).toBe(
      [
        `${document}:1:1: step a failed`,
        '  cause: the glob is bad',
        '  | class: Workflow',
        '  | ^',
        '  hint: mend it',
      ].join('\n'),
    );
  });

  it('does not repeat what the system said', () => {
    expect(plain(error('run/x', 'cannot read a: ENOENT', { cause: new Error('ENOENT') }))).toBe(
      'cannot read a: ENOENT',
    );
    expect(plain(error('run/x', 'a: bad glob', { cause: error('job/x', 'bad glob') }))).toBe('a: bad glob');
  });

  it('shows the stacks of all causes when debugging, and only then', () => {
    const reason = error('run/x', 'outer', { cause: new Error('inner') });
    expect(formatError(reason, { debug: true })).toMatch(/HallmarkError: outer\n +at [\s\S]*Error: inner\n +at /);
    expect(plain(reason)).not.toContain(' at ');
  });

  it('lists every problem of a document', async () => {
    const loading = loadInline({ class: 'CommandLineTool', inputs: { a: 'nonsense' }, outputs: 5, bogus: 1 });
    const text = plain(await loading.catch((failure: unknown) => failure));
    expect(text).toContain('nonsense');
    expect(text).toContain('bogus');
    expect(text).not.toContain(' at ');
  });

  it('gives no place to a value of the command line', () => {
    const problem = {
      severity: 'error',
      rule: 'input',
      message: 'n: expected int, got "x"',
      hint: 'give a number',
      position: { file: `file:///home/${commandLineSource}`, line: 1, column: 1 },
      length: 1,
      sourceLine: '{}',
    } as const;
    expect(formatProblem(problem)).toBe('error: n: expected int, got "x"\n  hint: give a number');
    expect(formatProblem({ ...problem, position: { ...problem.position, file: 'file:///a.yml' } })).toContain('a.yml');
  });
});

describe('an error in JSON', () => {
  const validate = new Ajv2020().compile(
    JSON.parse(readFileSync(join(import.meta.dirname, '../../../schemas/error.schema.json'), 'utf8')) as object,
  );
  const where = { file: 'a.cwl', line: 1, column: 2, step: 's', container: 'c', field: 'f' };
  it.each<[string, unknown, object]>([
    ['all of it', error('run/x', 'm', { hint: 'h', where }), { code: 'run/x', message: 'm', hint: 'h', where }],
    [
      'its causes',
      error('run/x', 'm', { cause: error('job/y', 'n', { cause: error('keep/z', 'o') }) }),
      { code: 'run/x', message: 'm', cause: { code: 'job/y', message: 'n', cause: { code: 'keep/z', message: 'o' } } },
    ],
    ['no cause of the system', error('run/x', 'm', { cause: new Error('n') }), { code: 'run/x', message: 'm' }],
    [
      'a code for what nobody foresaw',
      new TypeError('x is not a function'),
      { code: 'cli/internal', message: 'x is not a function' },
    ],
    ['a text that was thrown', 'oops', { code: 'cli/internal', message: 'oops' }],
  ])('has %s', (_what, reason, json) => {
    const written: unknown = JSON.parse(JSON.stringify(toErrorJson(reason)));
    expect(written).toEqual(json);
    expect(validate(written), JSON.stringify(validate.errors)).toBe(true);
  });

  it('of a document fits the schema too, and has all that is wrong', async () => {
    const wrong = { class: 'CommandLineTool', baseComand: 'x', inputs: { a: 'strng' }, outputs: {} };
    const reason: unknown = await loadInline(wrong).catch((failure: unknown) => failure);
    const written = JSON.parse(JSON.stringify(toErrorJson(reason))) as { problems: object[] };
    expect(validate(written), JSON.stringify(validate.errors)).toBe(true);
    expect(written.problems).toMatchObject([
      { rule: 'unknown-field', hint: 'did you mean "baseCommand"?', where: { line: expect.any(Number) } },
      { rule: 'unknown-type', message: 'unknown type "strng"', severity: 'error' },
    ]);
  });
});
