import { describe, expect, it } from 'vitest';
import { createMemoryFetcher } from '../../../test/fakes/fetcher.ts';
import { InvalidDocumentError } from '../errors.ts';
import { loadProcess } from '../load.ts';
import type { CwlObject } from '../values.ts';
import { checkInputs } from './check.ts';
import type { Found, Look } from './check-files.ts';
import { expandFormats, lazyOntology } from './format.ts';
import { loadInputObject, parseInputObject, withValues } from './job.ts';

const check = async (inputs: string, job: string, look?: Look) => {
  const text = `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: ${inputs}\noutputs: []\n`;
  const process = await loadProcess('file:///t.cwl', { fetcher: createMemoryFetcher({ 'file:///t.cwl': text }) });
  return checkInputs(process, parseInputObject(job, 'file:///jobs/job.yml'), look);
};

const tool = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {a: string, b: string}\noutputs: []\n';

describe('the input object', () => {
  it('has files relative to itself, and fields that are no inputs apart', async () => {
    const job = await loadInputObject(
      'file:///jobs/job.yml',
      createMemoryFetcher({
        'file:///jobs/job.yml': `cwl:tool: ../tool.cwl#main
$namespaces: {edam: 'http://edamontology.org/'}
cwl:requirements: [{class: ShellCommandRequirement}]
cwltool:overrides: {../tool.cwl: {requirements: {WorkReuse: {enableReuse: false}}}}
a: {class: File, location: a.txt, format: edam:format_1, secondaryFiles: [{class: File, path: b.txt}]}
b: {class: Directory, path: /data, location: keep:x}
c: {class: File, contents: text}
'#main/d': 1
`,
      }),
    );
    expect(job.values).toEqual({
      a: {
        class: 'File',
        location: 'file:///jobs/a.txt',
        format: 'http://edamontology.org/format_1',
        secondaryFiles: [{ class: 'File', location: 'file:///jobs/b.txt' }],
      },
      b: { class: 'Directory', location: 'keep:x' },
      c: { class: 'File', contents: 'text' },
      d: 1,
    });
    expect(job.tool).toBe('file:///tool.cwl#main');
    expect(job.requirements?.kind).toBe('list');
    expect(job.overrides.map(({ target }) => target)).toEqual(['file:///tool.cwl']);
  });

  it('tells a float from an integer, as a default and as a value', async () => {
    const types = "{x: double, y: {type: 'float[]', default: [2.0, 2, 1e3]}, any: Any}";
    const { inputs } = await check(types, 'x: 1.0\nany: {a: [-3., 0x10, 1.5, 10]}\n');
    expect(inputs).toEqual({ x: 1n, y: [2n, 2, 1000], any: { a: [-3n, 16, 1.5, 10] } });
    await expect(check('{x: int}', '{"x": 1.0}')).rejects.toThrow('input x: expected int, got the number 1.0');
    await expect(check('{x: long}', 'x: 4.')).rejects.toThrow('input x: expected long, got the number 4.');
  });

  it.each([
    ['{x: int}', 'x: 1e3', 'int, got the number 1e3', 'write 1000: with a point or an exponent it is a float'],
    ['{x: long}', '{"x": 1E3}', 'long, got the number 1E3', 'write 1000: with a point or an exponent it is a float'],
    ["{x: 'int[]'}", 'x: [1, 2.0]', 'int, got the number 2.0', 'write 2: with a point or an exponent it is a float'],
    ["{x: ['null', int, string]}", 'x: 0.5', '[null, int, string], got the number 0.5', 'write it in quotes'],
    ['{x: int}', 'x: 1_000', 'int, got the string "1_000"', 'write 1000'],
    ['{x: boolean}', 'x: yes', 'boolean, got the string "yes"', undefined],
  ])('%s with %s is no integer', async (inputs, job, message, hint) => {
    const error: unknown = await check(inputs, job).catch((thrown: unknown) => thrown);
    expect(error instanceof InvalidDocumentError && error.problems[0]).toMatchObject({
      message: expect.stringContaining(message),
      ...(hint !== undefined && { hint }),
    });
  });

  it('may hold any way to write a number that its type takes', async () => {
    const { inputs } = await check('{i: int, l: long, f: float, a: Any}', 'i: 0x10\nl: -7\nf: 1e3\na: .5');
    expect(inputs).toEqual({ i: 16, l: -7, f: 1000, a: 0.5 });
  });

  it('takes values from elsewhere, which have no place in it', async () => {
    const job = withValues(parseInputObject('a: x\nb: y\n', 'file:///j.yml'), { a: 1 }, '(command line)');
    expect(job.values).toEqual({ a: 1, b: 'y' });
    const process = await loadProcess('file:///t.cwl', { fetcher: createMemoryFetcher({ 'file:///t.cwl': tool }) });
    expect(() => checkInputs(process, job)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('input a: '),
        where: { file: '(command line)', line: 1, column: 1 },
      }),
    );
  });

  it.each([
    ['{a: File}', 'a: x.txt', 'write {class: File, path: "x.txt"}'],
    ["{a: 'Directory?'}", 'a: {path: x}', 'add "class: Directory"'],
    ['{a: File}', 'a: {class: file, path: x}', 'did you mean "File"?'],
    ["{a: 'File[]?'}", 'a: {class: File, path: x}', 'put it in a list: [ … ]'],
    ["{a: 'int?'}", 'a: "3"', 'leave out the quotes'],
    ['{a: boolean}', "a: 'true'", 'leave out the quotes'],
    ['{a: string}', 'a: 3', 'write it in quotes'],
    ['{a: int}', 'a: three', undefined],
    ['{a: {type: {type: enum, symbols: [p, q]}}}', 'a: 3', undefined],
    ['{a: {type: {type: enum, symbols: [fast, slow]}}}', 'a: fas', 'did you mean "fast"?'],
    ["{a: 'int?'}", 'a: [1]', 'take it out of the list'],
    ["{a: 'int?'}", 'a: [x]', undefined],
  ])('%s with %s is told what to write: %s', async (inputs, job, hint) => {
    const error: unknown = await check(inputs, job).catch((thrown: unknown) => thrown);
    expect(error instanceof InvalidDocumentError && error.problems[0]?.hint).toBe(hint);
  });

  it('names every file that is not there, with its place', async () => {
    const look = (location: string): Found | undefined => {
      if (location.endsWith('/secret')) return undefined;
      if (location.endsWith('/dir')) return { kind: 'Directory' };
      if (location.endsWith('/pipe')) return { kind: 'other' };
      return location.endsWith('/a.txt')
        ? { kind: 'File' }
        : { kind: 'none', ...(location.endsWith('/b.txt') && { near: 'a.txt' }) };
    };
    const text = `f: {class: File, path: b.txt}
fs:
- {class: File, path: a.txt, secondaryFiles: [{class: File, location: c.txt}, {class: File, path: secret}]}
- {class: File, path: dir}
any: {k: [{class: Directory, path: dir, listing: [{class: File, path: pipe}]}, {class: File, location: keep:x}]}
l: {class: File, contents: ''}
e: {class: File, basename: x}
p: {class: File, location: 'ftp://h/x'}
`;
    const types =
      "{p: File, f: File, fs: 'File[]', any: Any, l: File, e: File, d: {type: File, default: {class: File, path: none}}}";
    const error: unknown = await check(types, text, look).catch((thrown: unknown) => thrown);
    const problems = error instanceof InvalidDocumentError ? error.problems : [];
    expect(problems.map(({ position, message, hint }) => [position.line, position.column, message, hint])).toEqual([
      [1, 24, 'input f: there is no /jobs/b.txt', 'did you mean "a.txt"?'],
      [3, 71, 'input fs: there is no /jobs/c.txt', expect.stringMatching(/^paths in a job file are relative/)],
      [4, 23, 'input fs: expected a File at /jobs/dir, got a Directory', undefined],
      [5, 71, 'input any: expected a File at /jobs/pipe, got neither a file nor a folder', undefined],
      [7, 4, 'input e: a File needs a path, a location or contents', undefined],
      [8, 29, expect.stringMatching(/^input p: expected a path, or a location .* got "ftp:\/\/h\/x"$/), undefined],
    ]);
  });

  it('may be empty, but no list', () => {
    expect(parseInputObject('', 'file:///j.yml').values).toEqual({});
    expect(() => parseInputObject('[1]', 'file:///j.yml')).toThrow('must be a mapping, got a list');
    expect(() => parseInputObject('cwltool:overrides: {x: {}}', 'file:///j.yml')).toThrow('needs the id of a process');
  });

  it('gets defaults, null for what is optional, and loses what the process does not know', async () => {
    const { inputs, warnings } = await check(
      "{a: {type: int, default: 3}, b: 'string?', c: 'int[]'}",
      'c: [1]\nd: 4\na: null',
    );
    expect(inputs).toEqual({ a: 3, b: null, c: [1] });
    expect(warnings.map(({ message }) => message)).toEqual(['the process has no input "d"']);
  });

  it.each([
    ['{a: int}', 'a: x', 'input a: expected int, got the string "x"', 4],
    ['{a: int}', 'a: 3000000000', 'input a: expected int, got the number 3000000000', 4],
    ['{a: int}', 'b: 1', 'input "a" of type int is missing', 1],
    ['{a: Any}', 'a: null', 'input "a" of type Any is null', 4],
    ['{a: Any}', 'a: .inf', 'input a: expected Any, got the number .inf', 4],
    ["{a: 'File[]'}", 'a: [{class: File, path: x}, y]', 'input a[1]: expected File, got the string "y"', 29],
    ['{a: {type: {type: enum, symbols: [p, q]}}}', 'a: r', 'input a: expected enum(p, q), got the string "r"', 4],
    [
      '{a: {type: {type: record, fields: {n: int, s: string}}}}',
      'a: {n: 1, s: 2}',
      'input a.s: expected string, got the number 2',
      14,
    ],
    ["{a: ['null', {type: record, fields: {n: int}}]}", 'a: {n: x}', 'input a.n: expected int, got the string "x"', 8],
    ['{a: Directory}', 'a: {class: File, path: x}', 'input a: expected Directory, got a File', 4],
  ])('%s with %s fails', async (inputs, job, message, column) => {
    const error: unknown = await check(inputs, job).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidDocumentError);
    expect(error).toMatchObject({ code: 'cwl/bad-input', message, where: { file: '/jobs/job.yml', line: 1, column } });
  });
});

describe('formats', () => {
  const turtle =
    '@prefix gx: <http://gx/> .\n@prefix owl: <http://o#> .\ngx:fasta a owl:Class .\ngx:fasta owl:equivalentClass <http://edam/1929> .\n';
  const xml =
    '<?xml version="1.0"?><rdf:RDF xml:base="http://edam/"><owl:Class rdf:about="http://edam/1929"><rdfs:subClassOf rdf:resource="http://edam/2330"/></owl:Class></rdf:RDF>';
  const files = createMemoryFetcher({ 'file:///s.ttl': turtle, 'file:///s.owl': xml });

  it('follow subclasses and equal classes', async () => {
    const isKindOf = lazyOntology(['file:///s.ttl', 'file:///s.owl'], files);
    expect(await isKindOf('http://gx/fasta', 'http://edam/2330')).toBe(true);
    expect(await isKindOf('http://edam/1929', 'http://gx/fasta')).toBe(true);
    expect(await isKindOf('http://edam/2330', 'http://gx/fasta')).toBe(false);
  });

  it('may be written with the prefixes of the document', () => {
    const given = { class: 'File', location: 'file:///x', format: 'edam:1929', secondaryFiles: [{ format: 'edam:1' }] };
    const expanded = expandFormats({ reads: [given], format: 'edam:2' } as CwlObject, { edam: 'http://edam/' });
    expect(expanded).toEqual({ reads: [{ ...given, format: 'http://edam/1929' }], format: 'edam:2' });
  });

  it('read local schemas only', async () => {
    const isKindOf = lazyOntology(['https://never.example/s.owl', 'file:///missing.owl', 'file:///s.ttl'], files);
    expect(await isKindOf('http://gx/fasta', 'http://edam/1929')).toBe(true);
  });

  it('read them once, and only when two formats differ', async () => {
    const fetched: string[] = [];
    const fetchText = (uri: string) => {
      fetched.push(uri);
      return files.fetchText(uri);
    };
    const isKindOf = lazyOntology(['file:///s.ttl'], { ...files, fetchText });
    expect(fetched).toEqual([]);
    expect(await isKindOf('http://gx/fasta', 'http://edam/1929')).toBe(true);
    expect(await isKindOf('http://gx/fasta', 'http://edam/2330')).toBe(false);
    expect(fetched).toEqual(['file:///s.ttl']);
  });
});
