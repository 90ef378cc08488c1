import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A command of ours against the same work done by cwltool; `atMost` is the ratio that we hold ourselves to. */
export interface BenchCase {
  readonly name: string;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  readonly atMost: number;
  readonly runs: number;
  readonly needs?: 'docker';
}

const tool = (image: string, command: string) => `cwlVersion: v1.2
class: CommandLineTool
${image}baseCommand: ${command}
inputs: {n: {type: int?}}
outputs: []
`;

const scatter = (run: string) => `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}}
inputs: {ns: 'int[]'}
outputs: []
steps: {each: {run: ${run}, scatter: n, in: {n: ns}, out: []}}
`;

const echo = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: {message: {type: string, default: hello, inputBinding: {}}}
stdout: out.txt
outputs: {out: stdout}
`;

function chain(length: number): string {
  const steps = Array.from({ length }, (_, i) => {
    const source = i === 0 ? 'start' : `s${i - 1}/out`;
    return `  s${i}: {run: echo-file.cwl, in: {message: ${source}}, out: [out]}`;
  });
  return `cwlVersion: v1.2
class: Workflow
inputs: {start: string}
outputs: {last: {type: string, outputSource: s${length - 1}/out}}
steps:
${steps.join('\n')}
`;
}

const echoString = `cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {message: string}
outputs: {out: string}
expression: '\${return {"out": inputs.message};}'
`;

/** Writes the documents into `dir` and names the cases. */
export function prepareCases(dir: string, runner: string, cwltool: string): BenchCase[] {
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  const numbers = (count: number) => JSON.stringify({ ns: Array.from({ length: count }, (_, i) => i) });
  write('echo.cwl', echo);
  write('true.cwl', tool('', '"true"'));
  write('true-debian.cwl', tool('hints: {DockerRequirement: {dockerPull: "debian:stable-slim"}}\n', '"true"'));
  write('scatter.cwl', scatter('true.cwl'));
  write('scatter-debian.cwl', scatter('true-debian.cwl'));
  write('echo-file.cwl', echoString);
  write('chain.cwl', chain(300));
  write('n1000.json', numbers(1000));
  write('n50.json', numbers(50));
  const out = ['--outdir', join(dir, 'out')];
  const quiet = ['--quiet', ...out];
  const ours = (...rest: string[]) => [runner, ...rest];
  const theirs = (...rest: string[]) => [cwltool, ...rest];
  const at = (name: string) => join(dir, name);
  return [
    { name: 'start-up (--version)', ours: ours('--version'), theirs: theirs('--version'), atMost: 0.25, runs: 7 },
    {
      name: 'validate a small tool',
      ours: ours('--validate', at('echo.cwl')),
      theirs: theirs('--validate', at('echo.cwl')),
      atMost: 0.15,
      runs: 5,
    },
    {
      name: 'validate a chain of 300 steps',
      ours: ours('--validate', at('chain.cwl')),
      theirs: theirs('--validate', at('chain.cwl')),
      atMost: 0.05,
      runs: 1,
    },
    {
      name: 'one-step echo on the host',
      ours: ours(...quiet, '--disable-reuse', at('echo.cwl')),
      theirs: theirs(...quiet, at('echo.cwl')),
      atMost: 0.25,
      runs: 5,
    },
    {
      name: 'scatter of 1000 `true` on the host',
      ours: ours(...quiet, '--disable-reuse', at('scatter.cwl'), at('n1000.json')),
      theirs: theirs(...quiet, at('scatter.cwl'), at('n1000.json')),
      atMost: 0.3,
      runs: 2,
    },
    {
      name: 'scatter of 50 `true` in containers',
      ours: ours(...quiet, '--disable-reuse', at('scatter-debian.cwl'), at('n50.json')),
      theirs: theirs(...quiet, '--parallel', at('scatter-debian.cwl'), at('n50.json')),
      atMost: 0.05,
      runs: 1,
      needs: 'docker',
    },
  ];
}
