import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const tool = (image: string) => `cwlVersion: v1.2
class: CommandLineTool
${image}baseCommand: "true"
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

const echoString = `cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {message: string}
outputs: {out: string}
expression: '\${return {"out": inputs.message};}'
`;

function chain(length: number): string {
  const steps = Array.from({ length }, (_, i) => {
    const source = i === 0 ? 'start' : `s${i - 1}/out`;
    return `  s${i}: {run: echo-string.cwl, in: {message: ${source}}, out: [out]}`;
  });
  return `cwlVersion: v1.2
class: Workflow
inputs: {start: string}
outputs: {last: {type: string, outputSource: s${length - 1}/out}}
steps:
${steps.join('\n')}
`;
}

export const containerImage = 'debian:stable-slim';
export const chainLengths = [300, 1000, 10_000] as const;
export const scatterSizes = [50, 100, 1000, 10_000, 50_000] as const;

/** Writes the documents of the benchmark: `echo`, `scatter`, `scatter-container`, `chain<n>` and `n<n>.json`. */
export function writeDocuments(dir: string): void {
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write('echo.cwl', echo);
  write('echo-string.cwl', echoString);
  write('true.cwl', tool(''));
  write('true-container.cwl', tool(`hints: {DockerRequirement: {dockerPull: "${containerImage}"}}\n`));
  write('scatter.cwl', scatter('true.cwl'));
  write('scatter-container.cwl', scatter('true-container.cwl'));
  for (const length of chainLengths) write(`chain${length}.cwl`, chain(length));
  for (const size of scatterSizes)
    write(`n${size}.json`, JSON.stringify({ ns: Array.from({ length: size }, (_, i) => i) }));
}
