import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandTool, expressionTool } from '../../test/fakes/drive.ts';
import { fakeJavascript, loadInline, withCode } from '../../test/fakes/job-kit.ts';
import {
  createRunKit,
  type FakeWork,
  imageEnding,
  isBuiltin,
  noGit,
  type RunKit,
  runOptions,
} from '../../test/fakes/run-kit.ts';
import type { ClusterApi } from '../api/port.ts';
import type { Container } from '../api/records.ts';
import type { JsonObject } from '../core/json.ts';
import { parseInputObject } from '../cwl/input/job.ts';
import type { CwlObject } from '../cwl/values.ts';
import { type RunOptions, runProcess } from './run-process.ts';
import { getRun, listStepRequests } from './run-record.ts';

let kit: RunKit;
let stop: AbortController;
beforeEach(async () => {
  kit = await createRunKit();
  stop = new AbortController();
});
afterEach(() => kit.close());

const { root: inputsRoot } = parseInputObject('{}', 'file:///job.yml');
const record = { document: 'file:///doc.cwl', packed: {}, inputs: {}, flags: {}, gitFacts: {} };

async function run(
  document: JsonObject,
  inputs: CwlObject = {},
  more: Partial<RunOptions> = {},
  api: ClusterApi = kit.api,
) {
  const services = {
    api,
    blocks: kit.blocks,
    javascript: fakeJavascript,
    fitsFormat: async () => true,
    emit: (event: (typeof kit.events)[number]) => void kit.events.push(event),
    probe: async () => undefined,
    gitFacts: async () => undefined,
    git: noGit,
    checkReach: async () => {},
    resolveDigest: async () => {
      throw new Error('no registry here');
    },
    saveImage: async () => {
      throw new Error('no archives here');
    },
  };
  const request = { process: await loadInline(document), name: 'doc.cwl', inputs, inputsRoot, record };
  return runProcess(request, services, { ...runOptions, ...more }, stop.signal);
}

const requirements = {
  ScatterFeatureRequirement: {},
  SubworkflowFeatureRequirement: {},
  InlineJavascriptRequirement: {},
};

/** A tool that writes `out.txt`; its one argument is `word`. */
const writeTool = (more: JsonObject = {}): JsonObject => ({
  class: 'CommandLineTool',
  baseCommand: 'write',
  inputs: { word: { type: 'string', inputBinding: {} } },
  outputs: { out: { type: 'File', outputBinding: { glob: 'out.txt' } } },
  ...more,
});
const step = (run: JsonObject, more: JsonObject = {}): JsonObject => ({
  run,
  in: { word: 'word' },
  out: ['out'],
  ...more,
});
const workflow = (steps: JsonObject, outputs: JsonObject = {}): JsonObject => ({
  class: 'Workflow',
  requirements,
  inputs: { word: 'string' },
  outputs,
  steps,
});

/** Writes the last word of the command; `fail` ends with exit code 3. */
const echo: FakeWork = ({ command }) => {
  const word = command.at(-1) ?? '';
  if (word === 'fail') return { exitCode: 3, stderr: '2026-01-01T00:00:00.000000001Z it broke\n' };
  return { output: { 'out.txt': word } };
};
const statuses = (name: string) =>
  kit.events.flatMap((event) => (event.type === 'step' && event.name === name ? [event.status] : []));

describe('a tool', () => {
  it('runs as one request of the run, and its outputs are in Keep', async () => {
    kit.startEngine(echo);
    const result = await run(writeTool(), { word: 'hello' });
    expect(result).toMatchObject({ status: 'success', failures: [] });
    expect(result.outputs.out).toMatchObject({
      class: 'File',
      basename: 'out.txt',
      size: 5,
      location: expect.stringMatching(/^keep:/),
    });
    const [request, ...more] = await listStepRequests(kit.api, result.run);
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      container_image: 'hallmark/host',
      command: ['write', 'hello'],
      properties: { 'hm:run': result.run, 'hm:step': 'doc.cwl' },
    });
    expect(statuses('doc.cwl')).toEqual(['started', 'submitted', 'done']);
    expect(await getRun(kit.api, 'last')).toMatchObject({
      uuid: result.run,
      status: 'success',
      outputs: result.outputs,
    });
  });

  it('runs in its image, which is pulled first', async () => {
    kit.startEngine((container, signal) =>
      isBuiltin(container) ? imageEnding('tool:1', 'a') : echo(container, signal),
    );
    const hints = { DockerRequirement: { dockerPull: 'tool:1' } };
    const result = await run(writeTool({ hints }), { word: 'hello' });
    const [pull, request] = await listStepRequests(kit.api, result.run);
    const pulled = await kit.api.get('containers', pull?.container_uuid as never);
    expect(request?.container_image).toBe(pulled.output);
  });

  it('runs on the host without containers, with the variables of the caller', async () => {
    kit.startEngine(echo);
    const hints = { DockerRequirement: { dockerPull: 'tool:1' } };
    const more = { containers: false, hostEnvironment: { LICENSE: 'x' } };
    const result = await run(writeTool({ hints }), { word: 'hello' }, more);
    const [request] = await listStepRequests(kit.api, result.run);
    expect(request).toMatchObject({ container_image: 'hallmark/host', environment: { LICENSE: 'x' } });
  });

  it('takes the default container where it names none', async () => {
    const image = await kit.image('base:1', 'a');
    kit.startEngine(echo);
    const result = await run(writeTool(), { word: 'hello' }, { defaultContainer: 'base:1' });
    const [request] = await listStepRequests(kit.api, result.run);
    expect(request?.container_image).toBe(image.portable_data_hash);
  });

  it('that has run before is reused, unless that is disabled', async () => {
    kit.startEngine(echo);
    const first = await run(writeTool(), { word: 'hello' });
    const second = await run(writeTool(), { word: 'hello' });
    const third = await run(writeTool(), { word: 'hello' }, { reuse: false });
    expect(second.outputs).toEqual(first.outputs);
    const ran = await Promise.all([first, second, third].map((result) => listStepRequests(kit.api, result.run)));
    const [one, two, three] = ran.map(([request]) => request?.container_uuid);
    expect(two).toBe(one);
    expect(three).not.toBe(one);
    expect(statuses('doc.cwl').filter((status) => status === 'reused')).toHaveLength(1);
  });

  it('may end with another code that it calls success', async () => {
    kit.startEngine(() => ({ exitCode: 3, output: { 'out.txt': 'x' } }));
    expect(await run(writeTool({ successCodes: [3] }), { word: 'a' })).toMatchObject({ status: 'success' });
  });
});

describe('a tool that fails', () => {
  it('is told with its command, exit code, the end of its stderr and where the rest is', async () => {
    kit.startEngine(echo);
    const result = await run(writeTool({ baseCommand: ['write', "it's"] }), { word: 'fail' });
    const [request] = await listStepRequests(kit.api, result.run);
    expect(result).toMatchObject({ status: 'permanentFail' });
    expect(result.failures).toMatchObject([
      {
        code: 'run/step-failed',
        message: [
          'step doc.cwl failed: exit code 3',
          "  command: write 'it'\\''s' fail",
          '  last lines of its stderr:',
          '  | it broke',
          `  whole log: cwl-runner logs ${request?.uuid}`,
        ].join('\n'),
        where: { step: 'doc.cwl', container: request?.container_uuid },
        retryable: false,
      },
    ]);
    expect(statuses('doc.cwl')).toEqual(['started', 'submitted', 'failed']);
    expect(await getRun(kit.api, result.run)).toMatchObject({ status: 'failure' });
  });

  it('for now is a temporary failure', async () => {
    kit.startEngine(() => ({ exitCode: 75 }));
    const result = await run(writeTool({ temporaryFailCodes: [75] }), { word: 'a' });
    expect(result).toMatchObject({ status: 'temporaryFail', failures: [{ code: 'run/step-failed', retryable: true }] });
  });

  it('for want of memory says what to raise', async () => {
    kit.startEngine(() => ({ exitCode: 137, status: { outOfMemory: true, errorDetail: 'killed at 100 MiB' } }));
    const { failures } = await run(writeTool(), { word: 'a' });
    expect(failures).toMatchObject([
      {
        message: expect.stringMatching(
          /failed: exit code 137 \(out of memory\)\n[\s\S]*\n {2}detail: killed at 100 MiB\n/,
        ),
        hint: 'raise ramMin of its ResourceRequirement, or add the hint arv:OutOfMemoryRetry',
      },
    ]);
  });

  it('for want of memory is followed by one with more, once', async () => {
    kit.startEngine((container, signal) => {
      if (container.runtime_constraints.ram < 512 * 2 ** 20) return { exitCode: 137, status: { outOfMemory: true } };
      return echo(container, signal);
    });
    const more = { hints: { 'arv:OutOfMemoryRetry': {} }, $namespaces: { arv: 'http://arvados.org/cwl#' } };
    const result = await run(writeTool(more), { word: 'a' });
    expect(result).toMatchObject({ status: 'success', failures: [] });
    expect(kit.warnings()).toEqual([expect.stringMatching(/256 MiB: it is run again with 512 MiB/)]);
    const [first, second, ...others] = await listStepRequests(kit.api, result.run);
    expect(others).toEqual([]);
    expect(first?.properties).toMatchObject({ 'arv:failed_container_resubmitted': second?.uuid });
    expect(second?.properties).toMatchObject({ 'hm:retryOf': first?.uuid });

    const tooSmall = { ...more, requirements: { ResourceRequirement: { ramMin: 100 } } };
    const again = await run(writeTool(tooSmall), { word: 'b' });
    expect(again.failures).toEqual([withCode('run/step-failed', /exit code 137 \(out of memory\)/)]);
    expect(await listStepRequests(kit.api, again.run)).toHaveLength(2);
  });

  it('by the infrastructure says how', async () => {
    kit.startEngine(() => ({ error: 'no space left' }));
    const { failures } = await run(writeTool(), { word: 'a' });
    expect(failures).toEqual([withCode('run/step-failed', /^step doc\.cwl failed: no space left\n/)]);
  });

  it('to make its output says so', async () => {
    kit.startEngine(() => ({ output: {} }));
    const { failures, status } = await run(writeTool(), { word: 'a' });
    expect(status).toBe('permanentFail');
    expect(failures).toEqual([withCode('job/bad-output')]);
  });

  it('to get its image says so', async () => {
    const hints = { DockerRequirement: { dockerPull: 'tool:1' } };
    const { failures } = await run(writeTool({ hints }), { word: 'a' }, { pull: 'never' });
    expect(failures).toEqual([withCode('run/image-not-found')]);
  });
});

describe('a workflow', () => {
  it('passes files from step to step', async () => {
    kit.startEngine(echo);
    const copy = writeTool({ inputs: { word: { type: 'File', inputBinding: {} } } });
    const steps = { one: step(writeTool()), two: step(copy, { in: { word: 'one/out' } }) };
    const result = await run(workflow(steps, { out: { type: 'File', outputSource: 'two/out' } }), { word: 'hello' });
    expect(result.failures).toEqual([]);
    const requests = await listStepRequests(kit.api, result.run);
    expect(requests.map(({ properties }) => properties['hm:step'])).toEqual(['one', 'two']);
    expect(requests[1]?.command[1]).toMatch(/\/out\.txt$/);
  });

  it('runs ExpressionTools and workflows inside it', async () => {
    const inner = workflow(
      { twice: step(expressionTool(['word'], 'inputs.word + inputs.word')) },
      { out: { type: 'Any', outputSource: 'twice/out' } },
    );
    const result = await run(workflow({ sub: step(inner) }, { out: { type: 'Any', outputSource: 'sub/out' } }), {
      word: 'ab',
    });
    expect(result).toMatchObject({ status: 'success', outputs: { out: 'abab' } });
    expect(await listStepRequests(kit.api, result.run)).toEqual([]);
  });

  it('scatters, and gives results in order whatever ends first', async () => {
    const waiting: (() => void)[] = [];
    kit.startEngine(async ({ command }) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 3) for (const next of waiting.reverse()) next();
      });
      return { output: { 'cwl.output.json': JSON.stringify({ out: command.at(-1) ?? '' }) } };
    });
    const tool = commandTool(['word'], { inputs: { word: { type: 'string', inputBinding: {} } } });
    const document = {
      ...workflow(
        { many: step(tool, { scatter: 'word', in: { word: 'words' } }) },
        { out: { type: 'Any', outputSource: 'many/out' } },
      ),
      inputs: { words: 'string[]' },
    };
    const result = await run(document, { words: ['a', 'b', 'c'] });
    expect(result.failures).toEqual([]);
    expect(result.outputs).toEqual({ out: ['a', 'b', 'c'] });
    const requests = await listStepRequests(kit.api, result.run);
    expect(requests.map(({ properties }) => properties['hm:step']).sort()).toEqual(['many[0]', 'many[1]', 'many[2]']);
  });

  it('never has more jobs under way than it may', async () => {
    let open = 0;
    let most = 0;
    kit.startEngine(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return { output: { 'out.txt': 'x' } };
    });
    const document = {
      ...workflow({ many: step(writeTool(), { scatter: 'word', in: { word: 'words' } }) }),
      inputs: { words: 'string[]' },
    };
    const words = Array.from({ length: 12 }, (_, index) => String(index));
    expect(await run(document, { words }, { maxInFlight: 2 })).toMatchObject({ status: 'success' });
    expect(most).toBeLessThanOrEqual(2);
    expect(await kit.requests()).toHaveLength(12);
  });

  const failing = () =>
    workflow(
      {
        bad: step(writeTool(), { in: { word: { default: 'fail' } } }),
        after: step(writeTool({ inputs: { word: 'File' } }), { in: { word: 'bad/out' } }),
        slow: step(writeTool({ inputs: { word: 'File' } }), { in: { word: 'good/out' } }),
        good: step(writeTool()),
      },
      { slow: { type: 'File?', outputSource: 'slow/out' }, after: { type: 'File?', outputSource: 'after/out' } },
    );
  const stepsOf = async (uuid: Container['uuid']) =>
    (await listStepRequests(kit.api, uuid)).map(({ properties }) => properties['hm:step']).sort();

  it('starts nothing more after a failure', async () => {
    kit.startEngine(echo);
    const result = await run(failing(), { word: 'a' }, { maxInFlight: 1 });
    expect(result.status).toBe('permanentFail');
    expect(result.failures).toEqual([withCode('run/step-failed', /^step bad failed/)]);
    expect(await stepsOf(result.run)).not.toContain('after');
  });

  it('goes on with what does not depend on it where that is wanted', async () => {
    kit.startEngine(echo);
    const result = await run(failing(), { word: 'a' }, { onError: 'continue' });
    expect(result.status).toBe('permanentFail');
    expect(result.failures).toHaveLength(1);
    expect(await stepsOf(result.run)).toEqual(['bad', 'good', 'slow']);
    expect(result.outputs).toMatchObject({ slow: { class: 'File' }, after: null });
  });

  it('is cancelled: what runs is told so, and nothing else starts', async () => {
    kit.startEngine(async (_container, signal) => {
      stop.abort(new Error('interrupted by SIGINT'));
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { error: 'cancelled' };
    });
    const copy = writeTool({ inputs: { word: 'File' } });
    const result = await run(workflow({ one: step(writeTool()), two: step(copy, { in: { word: 'one/out' } }) }), {
      word: 'a',
    });
    expect(result.failures).toEqual([withCode('run/cancelled', /^step one was cancelled$/)]);
    expect(await stepsOf(result.run)).toEqual(['one']);
    expect((await kit.requests())[0]).toMatchObject({ priority: 0 });
    expect(await getRun(kit.api, result.run)).toMatchObject({ status: 'failure' });
  });

  it('that is cancelled before it starts runs nothing', async () => {
    stop.abort(new Error('interrupted'));
    const result = await run(workflow({ one: step(writeTool()) }), { word: 'a' });
    expect(result.failures).toEqual([withCode('run/cancelled', /^the run was cancelled$/)]);
    expect(await kit.requests()).toEqual([]);
  });
});

it('puts files that the document names into Keep', async () => {
  kit.startEngine(echo);
  const tool = writeTool({
    requirements: { InitialWorkDirRequirement: { listing: [{ class: 'File', location: import.meta.url }] } },
    inputs: { script: { type: 'File', default: { class: 'File', location: import.meta.url } } },
  });
  const result = await run(tool);
  expect(result.failures).toEqual([]);
  const [request] = await listStepRequests(kit.api, result.run);
  const mounts = JSON.stringify(request?.mounts);
  expect(mounts).toContain('run-process.test.ts');
  expect(mounts).not.toContain('file:');
});

it('that ends in an error tells the first one, also where its record cannot be written any more', async () => {
  kit.startEngine(echo);
  const reasons = ['the disk is full', 'the record file is damaged'];
  const failing: ClusterApi = { ...kit.api, update: () => Promise.reject(new Error(reasons.shift())) };
  await expect(run(workflow({ one: step(writeTool()) }), { word: 'a' }, {}, failing)).rejects.toThrow(
    'the disk is full',
  );
  expect(reasons).toEqual([]);
});
