import { afterAll, describe, expect, it } from 'vitest';
import { createJsEngine } from '../../src/adapters/js/engine.ts';
import { createFakeJsEngine } from '../fakes/js-engine.ts';
import { describeJsEngine, request } from './js-engine.ts';

describeJsEngine('QuickJS in a thread', () => createJsEngine());
describeJsEngine('the trusting fake', createFakeJsEngine);

describe('QuickJS in a thread, and documents that mean harm', () => {
  const engine = createJsEngine({ memoryBytes: 32 * 1024 * 1024 });
  afterAll(() => engine.close());
  const value = (code: string, timeoutMs = 1000) => engine.evaluate(request(code, { timeoutMs }));

  it('names the part of a library that fails, each time', async () => {
    const use = (...library: string[]) => engine.evaluate(request('a + 1', { library }));
    for (let round = 0; round < 2; round += 1) {
      await expect(use('var a = 1;', 'nobody.there();')).rejects.toMatchObject({
        message: expect.stringMatching(/expressionLib\[1\].*nobody/),
      });
      expect(await use('var a = 1;')).toBe(2);
    }
  });

  it('keeps a library whole whatever an expression does with it', async () => {
    const library = ['var all = []; function fill() { for (;;) all.push(new Array(100).fill("x")); }'];
    const use = (code: string) => engine.evaluate(request(code, { library, timeoutMs: 1000 }));
    await expect(use('fill()')).rejects.toMatchObject({ code: 'cwl/expression-limit' });
    expect(await use('all.length')).toBe(0);
    await expect(use('(function(){ all = null; fill = 1; for (;;); })()')).rejects.toMatchObject({
      code: 'cwl/expression-limit',
    });
    expect(await use('[all.length, typeof fill]')).toEqual([0, 'function']);
  });

  it('blames no expression for the start of its thread, nor for a caller that is busy', async () => {
    const fresh = createJsEngine();
    const whileBusy = (): Promise<unknown> => {
      const answer = fresh.evaluate(request('1 + 1', { timeoutMs: 100 }));
      for (const end = performance.now() + 800; performance.now() < end; );
      return answer;
    };
    expect(await whileBusy()).toBe(2);
    expect(await whileBusy()).toBe(2);
    await fresh.close();
  });

  it.each([
    ['repeats a string', '"a".repeat(1e9).length'],
    ['fills an array', '(function(){ var all = []; for (;;) all.push(new Array(100).fill("x")); })()'],
    ['recurses', '(function again(){ return again(); })()'],
    ['backtracks in a regular expression', '/^(a+)+$/.test("a".repeat(50) + "b")'],
    ['sorts without end', '(function(){ [3, 2, 1].sort(function () { for (;;); }); })()'],
    [
      'nests its value without end',
      '(function(){ var all = []; for (var i = 0; i < 1e6; i += 1) all = [all]; return all; })()',
    ],
    ['loops in a getter of the error', '(function(){ throw { get message() { for (;;); } }; })()'],
    ['loops in toJSON', '({ toJSON: function () { for (;;); } })'],
    ['catches its own end', '(function(){ for (;;) { try { for (;;); } catch (e) {} } })()'],
  ])('ends an expression that %s', async (_what, code) => {
    await expect(value(code)).rejects.toMatchObject({ code: 'cwl/expression-limit' });
    expect(await value('1 + 1')).toBe(2);
  });

  it.each([
    'process',
    'require("fs")',
    'globalThis.constructor.constructor("return process")()',
    '(function(){}).constructor("return this.process.env")()',
    'import("node:fs").then',
    'fetch("http://localhost")',
    'new Worker("x")',
    'std.open("/etc/passwd", "r")',
    'os.exec(["true"])',
  ])('has nothing of the host for %s', async (code) => {
    const result = await value(code).catch((error: Error) => error);
    if (result instanceof Error) expect(result).toMatchObject({ code: 'cwl/expression-failed' });
    else expect(result).toBeNull();
  });

  it('does not use what the document put in place of JSON.stringify', async () => {
    expect(await value('(JSON.stringify = function () { return "1"; }, inputs.n)')).toBe(2);
  });

  it('says in which line, and in which library, an expression failed', async () => {
    const body = request('var a = 1;\nreturn b;', { body: true });
    await expect(engine.evaluate(body)).rejects.toMatchObject({ message: expect.stringContaining('at line 2') });
    const library = ['var fine = 1;', '\n\nmissing();'];
    await expect(engine.evaluate(request('1', { library }))).rejects.toMatchObject({
      message: expect.stringMatching(/in expressionLib\[1\] at line 3/),
    });
  });

  it('does not make others wait for one that never ends', async () => {
    const stuck = value('(function(){ for (;;); })()', 3000);
    const order: string[] = [];
    const others = value('1').then(() => order.push('other'));
    await Promise.all([stuck.catch(() => order.push('stuck')), others]);
    expect(order).toEqual(['other', 'stuck']);
  });

  it('refuses work after it is closed', async () => {
    const closed = createJsEngine();
    await closed.close();
    await expect(closed.evaluate(request('1'))).rejects.toMatchObject({ code: 'cwl/expression-limit' });
  });
});
