import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryFetcher } from '../../../test/fakes/fetcher.ts';
import { fakeJavascript } from '../../../test/fakes/job-kit.ts';
import { createRunKit, imageEnding, isBuiltin, noGit, type RunKit, runOptions } from '../../../test/fakes/run-kit.ts';
import { parseInputObject } from '../../cwl/input/job.ts';
import { loadProcess } from '../../cwl/load.ts';
import type { Process } from '../../cwl/model.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { createScratchBlockStore } from '../../keep/disk/scratch-store.ts';
import { type RunOptions, runProcess } from '../run-process.ts';
import type { AskRegistry } from './images.ts';
import type { Plan } from './model.ts';
import { planProcess } from './plan-process.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const load = (text: string): Promise<Process> =>
  loadProcess('file:///w.cwl', { fetcher: createMemoryFetcher({ 'file:///w.cwl': `cwlVersion: v1.2\n${text}` }) });

const { root: inputsRoot } = parseInputObject('{}', 'file:///job.yml');
const services = () => ({
  api: kit.api,
  javascript: fakeJavascript,
  fitsFormat: async () => true,
  probe: async () => undefined,
  git: noGit,
  checkReach: async () => {},
  resolveDigest: async () => Promise.reject(new Error('no registry here')),
  emit: () => {},
});

const plan = async (process: Process, inputs: CwlObject, more: Partial<RunOptions> = {}, ask?: AskRegistry) => {
  const askRegistry = ask ?? (async () => ({ sizeBytes: 3_500_000, layers: [1, 2] }));
  const blocks = createScratchBlockStore(join(kit.folder, 'keep'));
  return planProcess(
    { process, name: 'w', inputs, inputsRoot },
    { ...services(), blocks, askRegistry },
    { ...runOptions, ...more },
  );
};

const run = async (process: Process, inputs: CwlObject) => {
  const record = { document: 'file:///w.cwl', packed: {}, inputs: {}, flags: {}, gitFacts: {} };
  const saveImage = async () => Promise.reject(new Error('no archive here'));
  const all = { ...services(), blocks: kit.blocks, gitFacts: async () => undefined, saveImage };
  const result = await runProcess(
    { process, name: 'w', inputs, inputsRoot, record },
    all,
    runOptions,
    new AbortController().signal,
  );
  expect(result.failures).toEqual([]);
};

const brief = ({ steps }: Plan) => steps.map(({ step, action, because }) => [step, action, because]);

const recordCounts = () =>
  Promise.all(
    (['container_requests', 'containers', 'collections', 'links'] as const).map(
      async (resource) => (await kit.api.list(resource, { limit: 1 })).itemsAvailable,
    ),
  );
const state = async () => [await recordCounts(), (await readdir(kit.folder, { recursive: true })).sort()];

const echo = (extra = '') =>
  `{class: CommandLineTool, ${extra}baseCommand: echo, inputs: {x: {type: Any, inputBinding: {}}}, outputs: {o: stdout}}`;
const workflow = `class: Workflow
requirements: {ScatterFeatureRequirement: {}, SubworkflowFeatureRequirement: {}, InlineJavascriptRequirement: {}}
inputs: {words: 'string[]', file: File, deep: {type: boolean, default: false}}
outputs: {o: {type: Any, outputSource: inner/o}}
steps:
  inner:
    in: {x: say/o, file: file}
    out: [o]
    run:
      class: Workflow
      inputs: {x: Any, file: File}
      outputs: {o: {type: Any, outputSource: join/o}}
      steps:
        join: {run: ${echo()}, in: {x: x}, out: [o]}
        first: {run: ${echo()}, in: {x: file}, out: [o]}
  say: {run: ${echo()}, scatter: x, in: {x: words}, out: [o]}
  maybe: {run: ${echo()}, when: $(inputs.deep), in: {x: file, deep: deep}, out: [o]}
`;

const inputsOf = async (...words: string[]): Promise<CwlObject> => {
  const path = join(kit.folder, 'input.txt');
  await writeFile(path, 'input');
  return { words, file: { class: 'File', location: pathToFileURL(path).href } };
};

describe('planProcess', () => {
  it('says what runs and what waits for it, in the order of the document, and changes nothing', async () => {
    const process = await load(workflow);
    const inputs = await inputsOf('a', 'b');
    const before = await state();
    expect(brief(await plan(process, inputs))).toEqual([
      ['inner/join', 'wait', 'its inputs come from say'],
      ['inner/first', 'wait', 'its inputs come from say'],
      ['say[0]', 'run', 'it has not run before'],
      ['say[1]', 'run', 'it has not run before'],
      ['maybe', 'skip', 'its condition does not hold'],
    ]);
    expect(await state()).toEqual(before);
  });

  it('finds what an earlier run has done, host files included, and the field that differs', async () => {
    const process = await load(workflow);
    const inputs = await inputsOf('a', 'b');
    kit.startEngine(() => ({ output: { [outputName(process)]: 'said' } }));
    await run(process, inputs);
    const before = await state();
    const again = await plan(process, inputs);
    expect(again.steps.map(({ action }) => action)).toEqual(['reuse', 'reuse', 'reuse', 'reuse', 'skip']);
    expect(again.steps[0]?.container).toMatch(/-dz642-/);
    expect(brief(await plan(process, { ...inputs, words: ['a', 'c'] })).slice(2, 4)).toEqual([
      ['say[0]', 'reuse', 'an equal earlier container has done it'],
      ['say[1]', 'run', 'command changed: "b" → "c"'],
    ]);
    expect(brief(await plan(process, inputs, { reuse: false }))[2]).toEqual(['say[0]', 'run', 'reuse is disabled']);
    expect(await state()).toEqual(before);
  });

  it('tells a pull with its size, and that the step runs after it', async () => {
    const process = await load(`class: CommandLineTool
requirements: {DockerRequirement: {dockerPull: "host:5000/tool:1"}}
baseCommand: echo
inputs: {x: {type: Any, inputBinding: {}}}
outputs: {o: stdout}
`);
    const planned = await plan(process, { x: 'a' });
    const because = 'Keep does not have it, or not the newest';
    expect(planned.images).toEqual([
      { image: 'host:5000/tool:1', action: 'pull', because, sizeBytes: 3_500_000, layers: 2 },
    ]);
    expect(brief(planned)).toEqual([['w', 'run', 'its image has to be made first']]);
    const down: AskRegistry = () => Promise.reject(new Error('host:5000 is down\nsecond line'));
    expect((await plan(process, { x: 'a' }, {}, down)).images[0]?.because).toBe(
      `${because}; its registry does not tell the size: host:5000 is down`,
    );
    await kit.image('host:5000/tool:1', 'a');
    expect((await plan(process, { x: 'a' })).images[0]).toMatchObject({ action: 'found' });
  });

  it('tells a build and the pull of its base, once for all steps, and takes an equal build', async () => {
    const build = 'requirements: {DockerRequirement: {dockerFile: "FROM base:1\\nRUN true\\n", dockerImageId: tool}}, ';
    const process = await load(`class: Workflow
inputs: {x: string}
outputs: []
steps:
  one: {run: ${echo(build)}, in: {x: x}, out: [o]}
  two: {run: ${echo(build)}, in: {x: x}, out: [o]}
`);
    const actions = ({ images }: Plan) => images.map(({ image, action }) => [image, action]);
    expect(actions(await plan(process, { x: 'a' }))).toEqual([
      ['base:1', 'pull'],
      ['tool', 'build'],
    ]);
    await kit.image('base:1', 'b');
    expect(actions(await plan(process, { x: 'a' }))).toEqual([
      ['base:1', 'found'],
      ['tool', 'build'],
    ]);
    kit.startEngine((container) =>
      isBuiltin(container) ? imageEnding('tool', 'c') : { output: { [outputName(process)]: 'said' } },
    );
    await run(process, { x: 'a' });
    const planned = await plan(process, { x: 'a' });
    expect(actions(planned)).toEqual([
      ['base:1', 'found'],
      ['tool', 'reuse'],
    ]);
    expect(planned.steps.map(({ action }) => action)).toEqual(['reuse', 'reuse']);
  });

  it('says where what fails stands, and what to do', async () => {
    const build =
      'requirements: {DockerRequirement: {dockerFile: "FROM base:1\\nRUN true\\nCPOY a b\\n", dockerImageId: tool}}, ';
    const process = await load(`class: Workflow
inputs: {x: string}
outputs: []
steps:
  one: {run: ${echo(build)}, in: {x: x}, out: [o]}
`);
    const { steps } = await plan(process, { x: 'a' });
    expect(steps).toMatchObject([
      {
        ...{ step: 'one', action: 'fail', because: expect.stringMatching(/CPOY/), hint: expect.stringMatching(/COPY/) },
        where: { file: expect.stringMatching(/^Dockerfile of /), line: 3 },
      },
    ]);
  });

  it('says that a step fails whose image may not be pulled', async () => {
    const process = await load(`class: Workflow
inputs: {x: string}
outputs: []
steps:
  one: {run: ${echo('requirements: {DockerRequirement: {dockerPull: "tool:1"}}, ')}, in: {x: x}, out: [o]}
`);
    const { steps } = await plan(process, { x: 'a' }, { pull: 'never' });
    expect(steps).toMatchObject([
      { step: 'one', action: 'fail', because: expect.stringMatching(/tool:1 is not in Keep/) },
    ]);
  });
});

/** Of `stdout` without a name: drawn when the document is loaded, and the same for equal tools. */
function outputName(process: Process): string {
  const tool =
    process.class === 'Workflow'
      ? process.steps.map(({ run }) => run).find((run) => run.class === 'CommandLineTool')
      : process;
  return (tool?.class === 'CommandLineTool' ? tool.stdout : undefined) ?? 'file';
}
