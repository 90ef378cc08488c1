import { describe, expect, it } from 'vitest';
import { createFakeKeep, fakeJavascript, loadTool, prepareJob, withCode } from '../../../test/fakes/job-kit.ts';
import type { JsonValue } from '../../core/json.ts';
import type { CwlObject } from '../../cwl/values.ts';
import { hostPaths } from '../paths.ts';
import { inheritRequirements, noRequirements } from '../requirements.ts';
import { toOutputObject } from './output-object.ts';

type Fields = { readonly [field: string]: JsonValue };
interface Case {
  readonly files?: { readonly [path: string]: string };
  readonly exitCode?: number;
  readonly inputs?: CwlObject;
}

const keep = createFakeKeep();
const input = { class: 'File' as const, location: await keep.storeFile('in.txt', 'input'), basename: 'in.txt' };

async function collect(fields: Fields, { files = {}, exitCode = 0, inputs = {} }: Case = {}) {
  const tool = await loadTool({ requirements: { InlineJavascriptRequirement: {} }, ...fields });
  const { job } = await prepareJob(tool, inputs, { keep });
  const collection = await keep.store(files);
  const finished = { exitCode, output: collection };
  const requirements = inheritRequirements(noRequirements, tool);
  const result = await toOutputObject(tool, job, finished, { keep, javascript: fakeJavascript, requirements });
  return { ...result, hash: collection.portableDataHash };
}

/** Value of one output `x`, locations relative to the output collection. */
async function outputOf(output: JsonValue, given: Case = {}, fields: Fields = {}) {
  const { outputs, hash } = await collect({ outputs: { x: output }, ...fields }, given);
  return JSON.parse(JSON.stringify(outputs.x).replaceAll(`keep:${hash}`, 'OUT'));
}

const fileAt = (path: string, size: number) => {
  const basename = path.slice(path.lastIndexOf('/') + 1);
  return expect.objectContaining({ class: 'File', location: `OUT/${path}`, basename, size });
};

describe('outputs', () => {
  it('are files that glob finds, without the paths of the container', async () => {
    const value = await outputOf({ type: 'File', outputBinding: { glob: 'a.*' } }, { files: { 'a.b.txt': 'abc' } });
    expect(value).toEqual({
      class: 'File',
      location: 'OUT/a.b.txt',
      basename: 'a.b.txt',
      nameroot: 'a.b',
      nameext: '.txt',
      size: 3,
    });
  });

  it.each<[string, JsonValue, Case, JsonValue]>([
    [
      'a list, sorted',
      { type: 'File[]', outputBinding: { glob: '*' } },
      { files: { b: 'b', a: '' } },
      [fileAt('a', 0), fileAt('b', 1)] as never,
    ],
    [
      'several patterns in order',
      { type: 'File[]', outputBinding: { glob: ['b', 'a'] } },
      { files: { b: '', a: '' } },
      [fileAt('b', 0), fileAt('a', 0)] as never,
    ],
    [
      'an expression',
      { type: 'File', outputBinding: { glob: '$("a" + 1)' } },
      { files: { a1: '' } },
      fileAt('a1', 0) as never,
    ],
    ['nothing, optional', { type: 'File?', outputBinding: { glob: 'a' } }, {}, null],
    ['nothing in a list', { type: 'File[]', outputBinding: { glob: 'a' } }, {}, []],
    [
      'contents',
      { type: 'string', outputBinding: { glob: 'a', loadContents: true, outputEval: '$(self[0].contents)' } },
      { files: { a: 'text' } },
      'text',
    ],
    ['the exit code', { type: 'int', outputBinding: { outputEval: '$(runtime.exitCode)' } }, { exitCode: 0 }, 0],
    ['zero, optional', { type: 'int?', outputBinding: { outputEval: '$(0)' } }, {}, 0],
    ['no binding', 'string?', {}, null],
    [
      'what an expression makes of a path',
      { type: 'File', outputBinding: { outputEval: '$({class: "File", path: runtime.outdir + "/d/a"})' } },
      { files: { 'd/a': 'x' } },
      fileAt('d/a', 1) as never,
    ],
    [
      'a literal',
      { type: 'File', outputBinding: { outputEval: '$({class: "File", basename: "l", contents: "L"})' } },
      {},
      { class: 'File', basename: 'l', contents: 'L' },
    ],
    [
      'a format',
      { type: 'File', format: 'http://x/bam', outputBinding: { glob: 'a' } },
      { files: { a: '' } },
      expect.objectContaining({ format: 'http://x/bam' }) as never,
    ],
  ])('may be %s', async (_name, output, given, expected) => expect(await outputOf(output, given)).toEqual(expected));

  it('may be directories, with the listing that is asked for', async () => {
    const files = { 'd/sub/f': 'F', 'd/a': '' };
    const listed = await outputOf(
      { type: 'Directory', outputBinding: { glob: 'd', loadListing: 'deep_listing' } },
      { files },
    );
    expect(listed).toEqual({
      class: 'Directory',
      location: 'OUT/d',
      basename: 'd',
      listing: [
        { class: 'File', location: 'OUT/d/a', basename: 'a', size: 0 },
        {
          class: 'Directory',
          location: 'OUT/d/sub',
          basename: 'sub',
          listing: [{ class: 'File', location: 'OUT/d/sub/f', basename: 'f', size: 1 }],
        },
      ],
    });
    expect(await outputOf({ type: 'Directory', outputBinding: { glob: '.' } }, { files })).toEqual({
      class: 'Directory',
      location: 'OUT',
      basename: 'cwl',
    });
  });

  it('bring what lies beside them', async () => {
    const secondaryFiles = ['.bai', '^.txt', '.none', '$(self.nameroot + ".dir")'];
    const output = { type: 'File', secondaryFiles, outputBinding: { glob: 'o/a.bam' } };
    const files = { 'o/a.bam': '', 'o/a.bam.bai': '', 'o/a.txt': '', 'o/a.dir/x': '' };
    const value = await outputOf(output, { files });
    expect(value.secondaryFiles.map(({ location }: { location: string }) => location)).toEqual([
      'OUT/o/a.bam.bai',
      'OUT/o/a.txt',
      'OUT/o/a.dir',
    ]);
  });

  it('want the required ones', async () => {
    const output = {
      type: 'File',
      secondaryFiles: [{ pattern: '.bai', required: true }],
      outputBinding: { glob: 'a' },
    };
    await expect(outputOf(output, { files: { a: '' } })).rejects.toEqual(
      withCode('job/missing-secondary-file', /expected ".bai"|"a.bai" beside "a"/),
    );
  });

  it('may be records of their own bindings', async () => {
    const fields = [
      { name: 'f', type: 'File', outputBinding: { glob: 'a' }, secondaryFiles: ['.i'] },
      { name: 'n', type: 'int', outputBinding: { outputEval: '$(3)' } },
    ];
    const value = await outputOf({ type: { type: 'record', fields } }, { files: { a: '', 'a.i': '' } });
    expect(value).toEqual({ f: expect.objectContaining({ secondaryFiles: [fileAt('a.i', 0)] }), n: 3 });
  });

  it('may be inputs, which keep their location', async () => {
    const output = { type: 'File', outputBinding: { outputEval: '$(inputs.f)' } };
    const value = await outputOf(output, { inputs: { f: input } }, { inputs: { f: 'File' } });
    expect(value).toMatchObject({ location: input.location, basename: 'in.txt' });
  });

  it.each<[JsonValue, Case, string, RegExp]>([
    [
      { type: 'File', outputBinding: { glob: 'a' } },
      {},
      'job/bad-output',
      /output x: expected one match of "a", got none/,
    ],
    [
      { type: 'File', outputBinding: { glob: '*' } },
      { files: { a: '', b: '' } },
      'job/bad-output',
      /expected one match of .*, got 2: /,
    ],
    [
      { type: 'int', outputBinding: { outputEval: '$("a")' } },
      {},
      'job/bad-output',
      /output x: expected int, got the string "a"/,
    ],
    [{ type: 'File', outputBinding: { glob: '../a' } }, {}, 'job/outside-output', /glob/],
    [{ type: 'File', outputBinding: { glob: '$(3)' } }, {}, 'job/bad-output', /expected glob to be text/],
    [
      { type: 'File', outputBinding: { outputEval: '$({class: "File", path: "/etc/passwd"})' } },
      {},
      'job/outside-output',
      /"\/etc\/passwd"/,
    ],
    [
      { type: 'File', outputBinding: { outputEval: '$({class: "File", location: "file:///etc/passwd"})' } },
      {},
      'job/outside-output',
      /passwd/,
    ],
    [
      {
        type: 'File',
        outputBinding: { outputEval: '$({class: "File", location: "keep:acbd18db4cc2f85cedef654fccc4a4d8+3/x"})' },
      },
      {},
      'job/outside-output',
      /outside/,
    ],
    [
      { type: 'File', outputBinding: { outputEval: '$({class: "File", path: runtime.outdir + "/../x"})' } },
      {},
      'job/outside-output',
      /outside/,
    ],
    [
      { type: 'File', outputBinding: { outputEval: '$({class: "File", path: "none"})' } },
      {},
      'job/bad-output',
      /expected a File at "none", found none/,
    ],
    [
      { type: 'File', outputBinding: { outputEval: '$({class: "File", path: "d"})' } },
      { files: { 'd/a': '' } },
      'job/bad-output',
      /expected a File at/,
    ],
  ])('%j with %j fails', async (output, given, code, message) => {
    await expect(outputOf(output, given)).rejects.toEqual(withCode(code, message));
  });

  it('say in which step and line they are declared', async () => {
    const failure = await outputOf({ type: 'File', outputBinding: { glob: 'a' } }, {}).catch((error: unknown) => error);
    expect(failure).toMatchObject({ where: { step: expect.any(String), line: expect.any(Number) } });
  });
});

describe('cwl.output.json', () => {
  const written = (value: JsonValue, files = {}) => ({ files: { ...files, 'cwl.output.json': JSON.stringify(value) } });

  it('comes before the bindings; its paths are those that the tool saw', async () => {
    const value = [
      { class: 'File', path: '/var/spool/cwl/d/a' },
      { class: 'File', location: 'b' },
      { class: 'Directory', path: 'd' },
    ] as const;
    const output = { type: { type: 'array', items: 'Any' }, outputBinding: { glob: 'never' } };
    expect(await outputOf(output, written({ x: value }, { 'd/a': 'A', b: '' }))).toEqual([
      fileAt('d/a', 1),
      fileAt('b', 0),
      { class: 'Directory', location: 'OUT/d', basename: 'd' },
    ]);
  });

  it.each<[JsonValue, string]>([
    [{ x: { class: 'File', path: '/etc/passwd' } }, 'job/outside-output'],
    [{ x: { class: 'File', path: '../x' } }, 'job/outside-output'],
    [{ x: { class: 'File', location: 'file:///etc/passwd' } }, 'job/outside-output'],
    [{ x: { class: 'File', path: 'none' } }, 'job/bad-output'],
    [{ x: 3 }, 'job/bad-output'],
    [{}, 'job/bad-output'],
    [[], 'job/bad-output-json'],
  ])('%j is refused with %s', async (value, code) => {
    await expect(outputOf('File', written(value))).rejects.toEqual(withCode(code));
  });

  it('may hold paths of the host where the tool ran there', async () => {
    const tool = await loadTool({ outputs: { x: 'File' } });
    const { job } = await prepareJob(tool, {}, { keep, paths: hostPaths, inContainer: false });
    const text = JSON.stringify({ x: { class: 'File', path: '/scratch/7/out/a' } });
    const output = await keep.store({ a: 'A', 'cwl.output.json': text });
    const collectFrom = (hostDirectory: string) =>
      toOutputObject(
        tool,
        job,
        { exitCode: 0, output, hostDirectory },
        { keep, javascript: fakeJavascript, requirements: noRequirements },
      );
    expect((await collectFrom('/scratch/7')).outputs.x).toMatchObject({ basename: 'a', size: 1 });
    await expect(collectFrom('/scratch/8')).rejects.toEqual(withCode('job/outside-output', /scratch/));
  });

  it('must be JSON', async () => {
    await expect(outputOf('Any', { files: { 'cwl.output.json': '{' } })).rejects.toEqual(
      withCode('job/bad-output-json', /is not JSON/),
    );
  });
});

describe('exit codes', () => {
  const codes = { successCodes: [0, 3], temporaryFailCodes: [4], permanentFailCodes: [5] };
  it.each([
    [0, 'success'],
    [3, 'success'],
    [4, 'temporaryFail'],
    [5, 'permanentFail'],
    [1, 'permanentFail'],
  ])('%d: %s', async (exitCode, status) => expect((await collect(codes, { exitCode })).status).toBe(status));
});

describe('files changed in place', () => {
  it('are told with their new location', async () => {
    const requirements = {
      InplaceUpdateRequirement: { inplaceUpdate: true },
      InitialWorkDirRequirement: { listing: [{ entry: '$(inputs.f)', writable: true }] },
    };
    const { replaced, hash } = await collect(
      { requirements, inputs: { f: 'File' } },
      { inputs: { f: input }, files: { 'in.txt': 'changed' } },
    );
    expect([...(replaced ?? [])]).toEqual([[input.location, `keep:${hash}/in.txt`]]);
  });
});
