import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMemoryFetcher } from '../../../test/fakes/fetcher.ts';
import { parseInputObject } from '../../cwl/input/job.ts';
import { loadDocument } from '../../cwl/load.ts';
import type { CwlObject } from '../../cwl/values.ts';
import type { RunFlags } from '../options/options.ts';
import { describeDocument, selectProcess } from './describe-document.ts';

const tool = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: {x: {type: string, doc: What to say.}}
outputs: {o: stdout}
`;
const step = (source: string) => `{run: t.cwl, in: {x: ${source}}, out: [o]}`;
const workflow = `cwlVersion: v1.2
class: Workflow
inputs: {a: string, b: string}
outputs: {one: {type: File, outputSource: first/o}, two: {type: File, outputSource: second/o}}
steps: {first: ${step('a')}, second: ${step('b')}}
`;
const fetcher = createMemoryFetcher({ 'file:///t.cwl': tool, 'file:///w.cwl': workflow });

async function print(uri: string, flags: Partial<RunFlags>, values: CwlObject = {}): Promise<string> {
  const loaded = await loadDocument(uri, { fetcher });
  const selected = { ...loaded, process: selectProcess(loaded.process, flags) };
  const job = { ...parseInputObject('{}', 'file:///job.yml'), values };
  const all = { relativeDeps: 'primary', ...flags } as RunFlags;
  return (await describeDocument(selected, { documentUri: uri, job, flags: all, help: false })) ?? 'runs';
}

const format = 'https://www.iana.org/assignments/media-types/application/cwl';

describe('flags that only describe the document', () => {
  it('print what the document reads', async () => {
    expect(JSON.parse(await print('file:///w.cwl', { printDeps: true }))).toEqual({
      class: 'File',
      location: 'w.cwl',
      format,
      secondaryFiles: [{ class: 'File', location: 't.cwl', format, basename: 't.cwl', nameroot: 't', nameext: '.cwl' }],
    });
    const fromHere = JSON.parse(await print('file:///w.cwl', { printDeps: true, relativeDeps: 'cwd' }));
    expect(fromHere.location).toBe(relative(process.cwd(), '/w.cwl'));
  });

  it('print what the inputs name', async () => {
    const beside = { class: 'File', location: 'file:///x/b.bai' } as const;
    const values: CwlObject = { a: [{ class: 'File', location: 'file:///x/b.bam', secondaryFiles: [beside] }], n: 1 };
    expect(JSON.parse(await print('file:///t.cwl', { printInputDeps: true }, values)).secondaryFiles).toEqual([
      {
        ...{ class: 'File', location: 'x/b.bam', basename: 'b.bam', nameroot: 'b', nameext: '.bam' },
        secondaryFiles: [{ class: 'File', location: 'x/b.bai', basename: 'b.bai', nameroot: 'b', nameext: '.bai' }],
      },
    ]);
  });

  it('print what --target takes', async () => {
    expect(await print('file:///w.cwl', { printTargets: true })).toBe(
      'outputs:\n  one\n  two\nsteps:\n  first\n  second\n',
    );
  });

  it('print the part that --target names as one document', async () => {
    const packed = await print('file:///w.cwl', { printSubgraph: true, target: ['two'] });
    const loaded = await loadDocument('file:///p.cwl', { fetcher: createMemoryFetcher({ 'file:///p.cwl': packed }) });
    const { process } = loaded;
    expect(process.inputs.map(({ id }) => id)).toEqual(['b']);
    expect(process.class === 'Workflow' && process.steps.map(({ name }) => name)).toEqual(['second']);
  });

  it('print a graph, a template, the model, and that it is valid', async () => {
    expect(await print('file:///w.cwl', { printDot: true })).toMatch(/^digraph workflow \{[\s\S]*first/);
    expect(await print('file:///t.cwl', { makeTemplate: true })).toMatch(/^# What to say\.\nx: /);
    const loaded = { cwlVersion: 'v1.2', class: 'CommandLineTool', id: '#main', outputs: [{ id: '#main/o' }] };
    expect(JSON.parse(await print('file:///t.cwl', { printPre: true }))).toMatchObject(loaded);
    expect(await print('file:///t.cwl', { validate: true })).toBe('/t.cwl is valid CWL.\n');
    expect(await print('file:///t.cwl', {})).toBe('runs');
  });

  it('refuse targets of what is no workflow', async () => {
    const { process } = await loadDocument('file:///t.cwl', { fetcher });
    expect(() => selectProcess(process, { target: ['o'] })).toThrow('expected a workflow, got a CommandLineTool');
    expect(selectProcess(process, {})).toBe(process);
    expect(() => selectProcess(process, { target: ['o'], singleStep: 'x' })).toThrow(
      'expected one of --target and --single-step, got both',
    );
  });
});
