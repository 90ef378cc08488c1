import { describe, expect, it } from 'vitest';
import { createFakeKeep, fakeJavascript, loadInline, withCode } from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';
import type { ExpressionTool } from '../../cwl/model.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { inheritRequirements, noRequirements } from '../requirements.ts';
import { runExpressionTool } from './expression-job.ts';

const keep = createFakeKeep();
const file = { class: 'File' as const, location: await keep.storeFile('a.txt', 'text') };

async function run(expression: string, inputs: CwlObject = {}, fields: { readonly [field: string]: JsonValue } = {}) {
  const process = (await loadInline({
    class: 'ExpressionTool',
    requirements: { InlineJavascriptRequirement: {} },
    inputs: { f: 'File?', n: 'int?' },
    outputs: { out: 'Any?' },
    expression,
    ...fields,
  })) as ExpressionTool;
  const step = { id: 1, name: 'e', process, inputs, requirements: inheritRequirements(noRequirements, process) };
  return (await runExpressionTool(step, { keep, javascript: fakeJavascript })).outputs.out;
}

describe('ExpressionTool', () => {
  it.each<[string, CwlObject, unknown]>([
    ['$({out: inputs.n + 1})', { n: 1 }, 2],
    ['${ return {out: inputs.f.nameroot + inputs.f.size, extra: 1}; }', { f: file }, 'a4'],
    ['$({out: null})', {}, null],
    ['$({out: inputs.f.path.split("/")[1]})', { f: file }, 'keep'],
    ['$({out: runtime.cores})', {}, 1],
    [
      '$({out: {class: "File", basename: "l", contents: "L"}})',
      {},
      { class: 'File', basename: 'l', nameroot: 'l', nameext: '', contents: 'L' },
    ],
  ])('%s of %j', async (expression, inputs, expected) => expect(await run(expression, inputs)).toEqual(expected));

  it('may rename an input', async () => {
    const value = await run('${ inputs.f.basename = "b.md"; return {out: inputs.f}; }', { f: file });
    expect(value).toEqual({
      class: 'File',
      location: file.location,
      basename: 'b.md',
      nameroot: 'b',
      nameext: '.md',
      size: 4,
    });
  });

  it.each([
    ['$(3)', 'job/bad-output', /expected an object with the outputs, got 3/],
    ['$({out: {class: "File", location: "file:///etc/passwd"}})', 'job/outside-output', /passwd/],
    ['$({out: {class: "File", path: "/etc/passwd"}})', 'job/outside-output', /passwd/],
    [
      '$({out: {class: "File", location: "keep:acbd18db4cc2f85cedef654fccc4a4d8+3/x"}})',
      'job/outside-output',
      /keep:acbd/,
    ],
  ])('%s fails', async (expression, code, message) => {
    await expect(run(expression)).rejects.toEqual(withCode(code, message));
  });

  it('checks the types of its outputs', async () => {
    await expect(run('$({out: "x"})', {}, { outputs: { out: 'int' } })).rejects.toEqual(
      withCode('job/bad-output', /output out: expected int/),
    );
  });
});
