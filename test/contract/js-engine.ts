import { afterAll, describe, expect, it } from 'vitest';
import type { JsEngine, JsRequest } from '../../src/cwl/port.ts';

const globals = { inputs: { n: 2, file: { class: 'File', basename: 'a.txt' } }, self: [1, 2], runtime: { cores: 4 } };

export const request = (code: string, rest: Partial<JsRequest> = {}): JsRequest => ({
  code,
  body: false,
  globals,
  library: [],
  timeoutMs: 5000,
  ...rest,
});

/** What every engine does. `isolating` ones also withstand documents that mean harm. */
export function describeJsEngine(name: string, make: () => JsEngine): void {
  describe(`${name}: the contract of a JavaScript engine`, () => {
    const engine = make();
    afterAll(() => engine.close());
    const value = (code: string, rest?: Partial<JsRequest>) => engine.evaluate(request(code, rest));

    it.each([
      ['an expression', 'inputs.n + runtime.cores', 6],
      ['an object literal', '{"a": self}', { a: [1, 2] }],
      ['a comment at the end', 'inputs.n // two', 2],
      ['undefined as null', 'undefined', null],
      ['text outside ASCII', '"é\\u2028😀"', 'é\u2028😀'],
      ['regular expressions', '"a-b".replace(/-/g, "+")', 'a+b'],
    ])('evaluates %s', async (_what, code, expected) => {
      expect(await value(code)).toEqual(expected);
    });

    it('evaluates the body of a function', async () => {
      expect(await value('var x = 1;\nreturn x + inputs.n;', { body: true })).toBe(3);
    });

    it('runs the library first, in order', async () => {
      const library = ['function two() { return 2; }', 'var four = two() * 2;'];
      expect(await value('four + two()', { library })).toBe(6);
    });

    it('gives each evaluation the library as it was loaded', async () => {
      const counter = ['var count = 0; var list = []; function next() { count += 1; list.push(count); return list; }'];
      const other = ['var count = 40; Array.prototype.last = function() { return this[this.length - 1]; };'];
      for (let round = 0; round < 3; round += 1) {
        expect(await value('next()', { library: counter })).toEqual([1]);
        expect(await value('[count + inputs.n, [1, 2].last()]', { library: other })).toEqual([42, 2]);
        expect(await value('typeof next + typeof [].last')).toBe('undefinedundefined');
        expect(await value(`'${'x'.repeat(round)}' + next().length + runtime.cores`, { library: counter })).toBe(
          `${'x'.repeat(round)}14`,
        );
      }
    });

    it('takes a new chance for each evaluation', async () => {
      const library = ['function draw() { return Math.random(); }'];
      const draws = await Promise.all(
        Array.from({ length: 20 }, () => value('[draw(), Math.random()]', { library }) as Promise<number[]>),
      );
      expect(new Set(draws.flat()).size).toBe(40);
      expect(draws.flat().every((draw) => draw >= 0 && draw < 1)).toBe(true);
    });

    it('names the error of the document', async () => {
      await expect(value('inputs.missing.field')).rejects.toMatchObject({
        code: 'cwl/expression-failed',
        message: expect.stringContaining('TypeError'),
      });
      await expect(value('this is no code')).rejects.toMatchObject({
        code: 'cwl/expression-failed',
        message: expect.stringContaining('SyntaxError'),
      });
    });

    it('ends what runs too long', async () => {
      await expect(value('(function(){ while (true); })()', { timeoutMs: 200 })).rejects.toMatchObject({
        code: 'cwl/expression-limit',
        message: expect.stringContaining('longer than allowed'),
      });
      expect(await value('1')).toBe(1);
    });

    it('lets nothing of one evaluation reach the next', async () => {
      await value('(function(){ inputs.n = 9; globalThis.left = 1; Array.prototype.left = 1; return 0; })()');
      expect(await value('[typeof left, [].left === undefined, inputs.n]')).toEqual(['undefined', true, 2]);
      expect(globals.inputs.n).toBe(2);
    });

    it('keeps evaluations at the same time apart', async () => {
      const codes = Array.from({ length: 20 }, (_, index) => value(`globalThis.mine = ${index}, mine * inputs.n`));
      expect(await Promise.all(codes)).toEqual(Array.from({ length: 20 }, (_, index) => index * 2));
    });

    it('refuses values with the key "__proto__"', async () => {
      await expect(value('JSON.parse(\'{"__proto__": {"a": 1}}\')')).rejects.toMatchObject({
        code: 'cwl/expression-failed',
        message: expect.stringContaining('__proto__'),
      });
    });
  });
}
