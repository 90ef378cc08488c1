import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeJavascript, loadTool, withCode } from '../../test/fakes/job-kit.ts';
import { createRunKit, type FakeWork, type RunKit } from '../../test/fakes/run-kit.ts';
import { toMessage } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { CwlObject } from '../cwl/values.ts';
import { inheritRequirements, noRequirements } from '../job/requirements.ts';
import { createImageResolver } from './image/resolve.ts';
import { createJobFiles } from './job-files.ts';
import { createRunRecord } from './run-record.ts';
import { runTool, type ToolServices } from './run-tool.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

type Fields = { readonly [field: string]: JsonValue };

async function services(): Promise<ToolServices> {
  const record = { document: 'file:///doc.cwl', packed: {}, inputs: {}, flags: {}, gitFacts: {} };
  const images = kit.imageServices();
  return {
    api: kit.api,
    blocks: kit.blocks,
    keep: createJobFiles(kit.api, kit.blocks),
    inputs: images.inputs,
    javascript: fakeJavascript,
    fitsFormat: async () => true,
    images: createImageResolver(images),
    waiter: images.waiter,
    emit: images.emit,
    run: await createRunRecord(kit.api, { ...record, name: 'doc.cwl', storedInputs: {} }),
    reuse: true,
    containers: true,
    hostEnvironment: { PATH: '/host/bin', LANG: 'C' },
  };
}

async function run(fields: Fields, more: Partial<ToolServices> = {}, inputs: CwlObject = {}) {
  const process = await loadTool(fields);
  const requirements = inheritRequirements(noRequirements, process);
  const step = { id: 1, name: 'align[0]', process, inputs, requirements };
  return runTool(step, { ...(await services()), ...more }, new AbortController().signal);
}

const succeed: FakeWork = () => ({ output: { 'a.txt': 'the result' } });
const makesFile: Fields = { outputs: { a: { type: 'File', outputBinding: { glob: 'a.txt' } } } };
const stepRequest = async () => (await kit.requests()).find(({ properties }) => properties['hm:step'] !== undefined);
const events = () => kit.events.flatMap((event) => (event.type === 'step' ? [event.status] : []));

describe('a tool without an image', () => {
  it('runs on the host with the environment of the caller, under its own', async () => {
    kit.startEngine(succeed);
    const result = await run({ ...makesFile, requirements: { EnvVarRequirement: { envDef: { LANG: 'de' } } } });
    expect(result).toMatchObject({ status: 'success', outputs: { a: { class: 'File', basename: 'a.txt', size: 10 } } });
    expect(await stepRequest()).toMatchObject({
      container_image: 'hallmark/host',
      environment: { PATH: '/host/bin', LANG: 'de' },
      properties: { 'hm:run': expect.stringContaining('-xvhdp-'), 'hm:step': 'align[0]' },
    });
    expect(events()).toEqual(['submitted', 'done']);
  });

  it('runs in the default container where there is one', async () => {
    const image = await kit.image('debian:12', 'a');
    kit.startEngine(succeed);
    await run(makesFile, { defaultContainer: 'debian:12' });
    const request = await stepRequest();
    expect(request?.container_image).toBe(image.portable_data_hash);
    expect(request?.environment).not.toHaveProperty('LANG');
  });
});

describe('a tool with an image', () => {
  const inDebian = { ...makesFile, requirements: { DockerRequirement: { dockerPull: 'debian:12' } } };

  it('runs in it, whatever the default container', async () => {
    const image = await kit.image('debian:12', 'a');
    kit.startEngine(succeed);
    await run(inDebian, { defaultContainer: 'alpine:3' });
    expect((await stepRequest())?.container_image).toBe(image.portable_data_hash);
  });

  it('fails where its image is asked for, with its step', async () => {
    const requirements = { EnvVarRequirement: { envDef: {} }, DockerRequirement: { dockerPull: 'Upper Case' } };
    const process = await loadTool({ requirements });
    const { position } = process.requirements[1] ?? process;
    await expect(run({ requirements })).rejects.toMatchObject({ where: { ...position, step: 'align[0]' } });
  });

  it('runs on the host where containers are not wanted', async () => {
    kit.startEngine(succeed);
    await run(inDebian, { containers: false });
    expect((await stepRequest())?.container_image).toBe('hallmark/host');
  });
});

it('takes the result of an equal earlier container, unless reuse is off', async () => {
  let count = 0;
  kit.startEngine((container, signal) => {
    count += 1;
    return succeed(container, signal);
  });
  const first = await run(makesFile);
  expect(await run(makesFile)).toEqual(first);
  expect([count, events()]).toEqual([1, ['submitted', 'done', 'submitted', 'reused']]);
  await run(makesFile, { reuse: false });
  expect(count).toBe(2);
});

it('saves what the job mounts before it is submitted', async () => {
  kit.startEngine(succeed);
  const listing = [{ entryname: 'config.ini', entry: 'threads=2' }];
  await run({ ...makesFile, requirements: { InitialWorkDirRequirement: { listing } } });
  const mounts = Object.values((await stepRequest())?.mounts ?? {});
  const mounted = mounts.flatMap((mount) => (mount.kind === 'collection' ? [mount.portable_data_hash] : []));
  const page = await kit.api.list('collections', { filters: [['properties.type', '=', 'intermediate']] });
  expect(mounted).toContain(page.items[0]?.portable_data_hash);
});

describe('a tool that fails', () => {
  it('tells its command, its exit code, the end of its stderr and where the log is', async () => {
    kit.startEngine(() => ({ exitCode: 3, stderr: 'one\nno such reference\n' }));
    const failing = run({ baseCommand: ['align', "it's"], arguments: ['-t', '2'] });
    await expect(failing).rejects.toMatchObject({
      code: 'run/step-failed',
      retryable: false,
      where: { step: 'align[0]', container: expect.stringContaining('-dz642-') },
    });
    const message = await failing.then(String, toMessage);
    expect(message).toContain('step align[0] failed: ');
    expect(message).toMatch(/exit code 3/);
    expect(message).toContain(`command: align 'it'\\''s' -t 2`);
    expect(message).toContain('  | no such reference');
    expect(message).toContain(`whole log: cwl-runner logs ${(await stepRequest())?.uuid}`);
  });

  it('tells what was executed, where the image put an entrypoint before the command', async () => {
    kit.startEngine(() => ({ exitCode: 3, status: { entrypoint: ['tini', '--', 'my entry'] } }));
    const message = await run({ baseCommand: 'align' }).then(String, toMessage);
    expect(message).toContain(
      `  command: align\n  executed: tini -- 'my entry' align (with the ENTRYPOINT of the image)\n`,
    );
  });

  it('looks for the program that was executed first', async () => {
    kit.startEngine(() => ({ exitCode: 127, status: { entrypoint: ['tini', '--'] } }));
    await expect(run({ baseCommand: 'align' })).rejects.toMatchObject({
      hint: expect.stringMatching(/^install tini,/),
    });
  });

  it.each<[string, Fields, RegExp]>([
    ['it may be tried again', {}, /^raise ramMin of its ResourceRequirement, or add the hint arv:OutOfMemoryRetry$/],
    ['it was', { hints: { 'arv:OutOfMemoryRetry': {} } }, /^raise ramMin .*, or memoryRetryMultiplier of its arv:/],
  ])('for want of memory says what to do: %s', async (_name, fields, hint) => {
    const status = { outOfMemory: true, errorDetail: 'hint: raise ramMin of its ResourceRequirement' };
    kit.startEngine(() => ({ exitCode: 137, status }));
    const failing = run({ $namespaces: { arv: 'http://arvados.org/cwl#' }, ...fields });
    await expect(failing).rejects.toMatchObject({ code: 'run/step-failed', hint: expect.stringMatching(hint) });
  });

  it.each<[string, Fields, JsonObject]>([
    ['may be tried again', { temporaryFailCodes: [75] }, { retryable: true }],
    ['is certain to fail again', { permanentFailCodes: [75] }, { retryable: false }],
  ])('%s where its codes say so', async (_name, codes, expected) => {
    kit.startEngine(() => ({ exitCode: 75 }));
    await expect(run(codes)).rejects.toMatchObject(expected);
  });

  it('succeeds where its codes say so', async () => {
    kit.startEngine(() => ({ exitCode: 1 }));
    expect(await run({ successCodes: [0, 1] })).toMatchObject({ status: 'success' });
  });

  it('for want of the infrastructure names its error', async () => {
    kit.startEngine(() => ({ error: 'the disk is full' }));
    await expect(run({})).rejects.toThrow(withCode('run/step-failed', /the disk is full/) as never);
  });
});
