// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CWL writes expressions so
import { describe, expect, it } from 'vitest';
import { createFakeJsEngine } from '../../../test/fakes/js-engine.ts';
import type { JsonValue } from '../../core/json.ts';
import { type EvaluateOptions, evaluate, toSpacedJson } from './evaluate.ts';

const context = {
  inputs: {
    a: { b: [{ c: 'deep' }] },
    "it's": 1,
    'say "hi"': 2,
    n: 3,
    none: null,
    list: [1, 2],
    text: 'abc',
    ключ: 'k',
  },
  self: 'me',
  runtime: { outdir: '/out' },
};
const plain: EvaluateOptions = { jsAllowed: false, cwlVersion: 'v1.2' };
const script: EvaluateOptions = { jsAllowed: true, cwlVersion: 'v1.2', engine: createFakeJsEngine() };
const run = (text: string, options = plain): Promise<JsonValue> => evaluate(text, context, options);

describe('parameter references', () => {
  it.each([
    ['$(inputs.a.b[0].c)', 'deep'],
    ["$(inputs['a'][\"b\"][0]['c'])", 'deep'],
    ["$(inputs['it\\'s'])", 1],
    ['$(inputs["say \\"hi\\""])', 2],
    ['$(inputs.list.length)', 2],
    ['$(inputs.none)', null],
    ['$(null)', null],
    ['  $(inputs.n)\n', 3],
    ['$(inputs.ключ)', 'k'],
    ['-$(inputs.n)-$(self)-', '-3-me-'],
    ['$(inputs.a)', { b: [{ c: 'deep' }] }],
    ['x $(inputs.list) $(inputs.none)', 'x [1, 2] null'],
    ['no reference: $5 $ {a}', 'no reference: $5 $ {a}'],
  ])('%s is %j', async (text, expected) => {
    expect(await run(text)).toEqual(expected);
  });

  it.each([
    ['$(inputs.missing)', 'inputs has no field "missing"'],
    ['$(inputs.nome)', 'inputs has no field "nome"'],
    ['$(inputs.none.x)', 'inputs.none is null'],
    ['$(inputs.text.length)', 'inputs.text is a string'],
    ['$(inputs.list[7])', 'it has no index 7'],
    ['$(inputs.constructor)', 'no field "constructor"'],
    ['$(input.n)', 'unknown name "input"'],
    ['$(inputs.n', 'has no end: expected ")"'],
    ['$(inputs.n + 1)', 'is JavaScript'],
    ['${return 1;}', 'is JavaScript'],
  ])('%s fails', async (text, message) => {
    await expect(run(text)).rejects.toMatchObject({
      code: 'cwl/expression-failed',
      message: expect.stringContaining(message),
    });
  });

  it('says what was meant', async () => {
    await expect(run('$(inputs.nome)')).rejects.toMatchObject({ hint: 'did you mean "none"?' });
    await expect(run('$(inputs.n + 1)')).rejects.toMatchObject({
      hint: expect.stringContaining('InlineJavascriptRequirement'),
    });
  });

  it('says where', async () => {
    const where = { file: 'tool.cwl', line: 4, step: 'align', field: 'glob' };
    await expect(run('$(inputs.x)', { ...plain, where })).rejects.toMatchObject({
      where: { ...where, expression: '$(inputs.x)' },
      message: expect.stringContaining('$(inputs.x)'),
    });
  });

  it.each([
    ['cat "${@:2}"', /for a shell/],
    ['echo $(date)', /for a shell/],
    ['${return @;}', undefined],
    [' $(nothing) ', undefined],
  ])('says how a shell gets its own: %s', async (text, hint) => {
    const failure: unknown = await run(text, { ...script, where: { file: 'tool.cwl' } }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ hint: hint && expect.stringMatching(hint) });
  });
});

describe('interpolation', () => {
  it.each([
    ['\\$(inputs.n) $(self)', '$(inputs.n) me'],
    ['\\${x} $(self)', '${x} me'],
    ['\\\\ $(self)', '\\ me'],
    ['\\\\$(self)', '\\me'],
    ['a\\nb $(self)', 'a\\nb me'],
    ['\\a $(self)\\', '\\a me\\'],
  ])('v1.2: %s is %s', async (text, expected) => {
    expect(await run(text)).toBe(expected);
  });

  it.each([
    ['\\$(inputs.n) $(self)', '$(inputs.n) me'],
    ['\\a $(self)', 'a me'],
  ])('v1.0: %s is %s', async (text, expected) => {
    expect(await run(text, { ...plain, cwlVersion: 'v1.0' })).toBe(expected);
  });

  it('keeps white space only where it is told to', async () => {
    expect(await run(' $(inputs.n)\n')).toBe(3);
    expect(await run(' $(inputs.n)\n', { ...plain, stripWhitespace: false })).toBe(' 3\n');
  });

  it('writes values into text as the reference implementation does', () => {
    expect(toSpacedJson({ b: [1, 'x'], a: { c: null } })).toBe('{"a": {"c": null}, "b": [1, "x"]}');
  });
});

describe('JavaScript', () => {
  it.each([
    ['$(inputs.n + 1)', 4],
    ['${ return inputs.list.map(function (x) { return x * 2; }); }', [2, 4]],
    ['$(inputs.text.length)', 3],
    ['$(inputs.missing)', null],
    ['$("a)b" + \'(\')', 'a)b('],
    ['${ if (true) { return "}"; } }', '}'],
    ['a${ return {x: 1}; }b', 'a{"x": 1}b'],
    ['$([1, 2, 3].length)', 3],
  ])('%s is %j', async (text, expected) => {
    expect(await run(text, script)).toEqual(expected);
  });

  it('is not started for references', async () => {
    const engine = { evaluate: () => Promise.reject(new Error('started')), close: async () => {} };
    expect(await run('$(inputs.a.b[0].c) $(self)', { ...script, engine })).toBe('deep me');
  });
});
