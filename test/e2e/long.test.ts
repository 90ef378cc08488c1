import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRunner, type Runner } from './runner.ts';

const long = '9007199254740993';
const tool = `
  class: CommandLineTool
  requirements: {InlineJavascriptRequirement: {}}
  baseCommand: [sh, -c, 'echo "$@" > said; echo "{\\"echoed\\": $1, \\"said\\": {\\"class\\": \\"File\\", \\"path\\": \\"said\\"}}" > cwl.output.json', sh]
  inputs: {n: {type: long, default: ${long}, inputBinding: {position: 1}}, of: {type: Any, inputBinding: {position: 2}}}
  outputs: {echoed: long, said: File}
`;
let runner: Runner;
beforeAll(() => {
  runner = createRunner('long');
  runner.write('tool.cwl', `cwlVersion: v1.2\n${tool.replace(/^ {2}/gm, '')}`);
  runner.write(
    'flow.cwl',
    `
cwlVersion: v1.2
class: Workflow
requirements: {StepInputExpressionRequirement: {}, InlineJavascriptRequirement: {}}
inputs: {n: long}
outputs:
  n: {type: long, outputSource: two/echoed}
  said: {type: File, outputSource: two/said}
steps:
  one: {run: tool.cwl, in: {n: n, of: {default: "-9223372036854775808"}}, out: [echoed, said]}
  two: {run: tool.cwl, in: {n: one/echoed, of: {source: n, valueFrom: 'it is $(self)'}}, out: [echoed, said]}
`,
  );
  runner.write('job.yml', `n: ${long}\n`);
});
afterAll(() => runner.remove());

const read = async (location: string) => (await import('node:fs/promises')).readFile(new URL(location), 'utf8');
const said = async (stdout: string) => read(/"location": "(file:[^"]*)"/.exec(stdout)?.[1] ?? '');

/** CWL v1.2, "long": 64 bits. */
it('a long of 64 bits keeps its digits from the job to the command line, between steps, and in the output object', async () => {
  const { stdout, stderr } = await runner.run(['--outdir', 'o', 'flow.cwl', 'job.yml']);
  expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringContaining(`"n": ${long},`) });
  expect(await said(stdout)).toBe(`${long} it is ${long}\n`);
});

it('also on the command line, as a default, and in a re-run', async () => {
  const flag = await runner.run(['--outdir', 'o', 'tool.cwl', '--n', '-9223372036854775807', '--of', 'x']);
  expect(flag.stdout).toContain('"echoed": -9223372036854775807');
  const fallback = await runner.run(['--outdir', 'o', 'tool.cwl', '--of', long]);
  expect(await said(fallback.stdout)).toBe(`${long} ${long}\n`);
  const again = await runner.run(['rerun', 'last', '--outdir', 'o']);
  expect(await said(again.stdout)).toBe(`${long} ${long}\n`);
  expect(again.stderr).toMatch(/tool\.cwl +reused/);
});

it('beyond 64 bits it is refused', async () => {
  const { exitCode, stderr } = await runner.run(['tool.cwl', '--n', '9223372036854775808', '--of', 'x']);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('input n: expected long, got the number 9223372036854775808'),
  });
});
