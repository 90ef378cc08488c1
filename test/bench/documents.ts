import { mkdirSync, writeFileSync } from 'node:fs';
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

const stages = ['trim', 'align', 'call'] as const;
/** With the three stages and the main document: 49 files. */
const toolsPerStage = 15;

/** A tool as pipelines have them: typed, documented, with requirements, secondary files and expressions. */
const stageTool = (stage: string, number: number) => `cwlVersion: v1.2
class: CommandLineTool
label: ${stage} ${number}
doc: |
  Reads a sample and what belongs to it, and writes the next one.
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement:
    listing: [{entryname: settings.json, entry: '$({"threads": inputs.threads})'}]
  EnvVarRequirement: {envDef: {LC_ALL: C}}
hints:
  ResourceRequirement: {coresMin: 2, ramMin: '$(1024 * inputs.threads)'}
  DockerRequirement: {dockerPull: "example/${stage}:1.${number}"}
baseCommand: [${stage}, --mode, m${number}]
inputs:
  sample: {type: File, secondaryFiles: [{pattern: .bai, required: false}], inputBinding: {position: 1}}
  threads: {type: int, default: 4, inputBinding: {prefix: --threads}}
  regions: {type: ['null', {type: array, items: string, inputBinding: {prefix: --region}}]}
  preset: {type: {type: enum, symbols: [fast, exact]}, default: exact, inputBinding: {prefix: --preset}}
  name: {type: string?, inputBinding: {valueFrom: '$(self || inputs.sample.nameroot)'}}
outputs:
  result: {type: File, outputBinding: {glob: '$(inputs.sample.nameroot).${stage}${number}'}}
  report: {type: stderr}
stderr: report.txt
`;

/** A stage: its tools one after the other. */
function stageWorkflow(stage: string): string {
  const steps = Array.from({ length: toolsPerStage }, (_, n) => {
    const sample = n === 0 ? 'sample' : `s${n - 1}/result`;
    return `  s${n}: {run: ../tools/${stage}${n}.cwl, in: {sample: ${sample}, threads: threads}, out: [result, report]}`;
  });
  return `cwlVersion: v1.2
class: Workflow
inputs: {sample: File, threads: int}
outputs: {result: {type: File, outputSource: s${toolsPerStage - 1}/result}}
steps:
${steps.join('\n')}
`;
}

const pipeline = `cwlVersion: v1.2
class: Workflow
requirements: {SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {}}
inputs: {samples: 'File[]', threads: {type: int, default: 2}}
outputs: {results: {type: 'File[]', outputSource: call/result}}
steps:
${stages
  .map((stage, n) => {
    const sample = n === 0 ? 'samples' : `${stages[n - 1]}/result`;
    return `  ${stage}: {run: stages/${stage}.cwl, scatter: sample, in: {sample: ${sample}, threads: threads}, out: [result]}`;
  })
  .join('\n')}
`;

function writePipeline(dir: string): void {
  for (const folder of ['stages', 'tools']) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, 'pipeline.cwl'), pipeline);
  for (const stage of stages) {
    writeFileSync(join(dir, 'stages', `${stage}.cwl`), stageWorkflow(stage));
    for (let n = 0; n < toolsPerStage; n += 1)
      writeFileSync(join(dir, 'tools', `${stage}${n}.cwl`), stageTool(stage, n));
  }
}

export const containerImage = 'debian:stable-slim';
export const chainLengths = [300, 1000, 10_000] as const;
export const scatterSizes = [50, 100, 1000, 5000, 10_000, 50_000] as const;

/** Writes the documents of the benchmark: `echo`, `scatter`, `scatter-container`, `pipeline`, `chain<n>` and `n<n>.json`. */
export function writeDocuments(dir: string): void {
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write('echo.cwl', echo);
  write('echo-string.cwl', echoString);
  write('true.cwl', tool(''));
  write('true-container.cwl', tool(`hints: {DockerRequirement: {dockerPull: "${containerImage}"}}\n`));
  write('scatter.cwl', scatter('true.cwl'));
  write('scatter-container.cwl', scatter('true-container.cwl'));
  writePipeline(dir);
  for (const length of chainLengths) write(`chain${length}.cwl`, chain(length));
  for (const size of scatterSizes)
    write(`n${size}.json`, JSON.stringify({ ns: Array.from({ length: size }, (_, i) => i) }));
}
