import { describe, expect, it } from 'vitest';
import { createFakeKeep, loadTool, prepareJob, withCode } from '../../../test/fakes/job-kit.ts';
import type { JsonObject } from '../../core/json.ts';
import { mib } from '../../core/units.ts';
import type { CwlFile } from '../../cwl/values.ts';
import { formatKeepLocation } from '../../keep/location.ts';
import { hostPaths } from '../paths.ts';

const shortcut = { InlineJavascriptRequirement: {} };
const cwltool = { cwltool: 'http://commonwl.org/cwltool#' };

describe('inputs in Keep', () => {
  it('are seen where they lie, through a mount of their directory', async () => {
    const keep = createFakeKeep();
    const collection = await keep.store({ 'in/a.bam': 'bam', 'in/a.bam.bai': 'bai', 'other/b': 'b' });
    const hash = collection.portableDataHash;
    const tool = await loadTool({
      inputs: {
        reads: { type: 'File', secondaryFiles: '.bai', inputBinding: {} },
        dir: { type: 'Directory', inputBinding: {} },
      },
    });
    const { job, collections } = await prepareJob(
      tool,
      {
        reads: {
          class: 'File',
          location: `keep:${hash}/in/a.bam`,
          secondaryFiles: [{ class: 'File', location: `keep:${hash}/in/a.bam.bai` }],
        },
        dir: { class: 'Directory', location: `keep:${hash}/other` },
      },
      { keep },
    );
    expect(collections).toEqual([]);
    expect(job.command).toEqual(['tool', `/keep/${hash}/other`, `/keep/${hash}/in/a.bam`]);
    expect(job.mounts).toEqual([
      { kind: 'keep', location: `keep:${hash}/in`, target: `/keep/${hash}/in`, writable: false },
      { kind: 'keep', location: `keep:${hash}/other`, target: `/keep/${hash}/other`, writable: false },
    ]);
    expect(job.inputs.reads).toMatchObject({ basename: 'a.bam', nameroot: 'a', nameext: '.bam', size: 3 });
  });

  it('are combined where the basename differs or secondaryFiles lie elsewhere', async () => {
    const keep = createFakeKeep();
    const reads = await keep.storeFile('x.bam', 'bam');
    const index = await keep.storeFile('x.bai', 'bai');
    const tool = await loadTool({ inputs: { reads: { type: 'File', inputBinding: {} } } });
    const { job, collections } = await prepareJob(
      tool,
      {
        reads: {
          class: 'File',
          location: reads,
          basename: 'new name.bam',
          secondaryFiles: [{ class: 'File', location: index, basename: 'new name.bai' }],
        },
      },
      { keep },
    );
    const [combined] = collections;
    expect([...(combined?.files.keys() ?? [])]).toEqual(['new name.bai', 'new name.bam']);
    expect(job.command).toEqual(['tool', `/keep/${combined?.portableDataHash}/new name.bam`]);
    expect((job.inputs.reads as CwlFile).location).toBe(`keep:${combined?.portableDataHash}/new%20name.bam`);
  });

  it('may be literals: files by their contents, directories by their listing', async () => {
    const keep = createFakeKeep();
    const location = await keep.storeFile('real.txt', 'real');
    const tool = await loadTool({
      requirements: shortcut,
      inputs: { dir: 'Directory', file: 'File' },
      arguments: ['$(inputs.dir.listing[0].listing[0].path)', '$(inputs.file.contents)', '$(inputs.file.size)'],
    });
    const inner = {
      class: 'Directory' as const,
      basename: 'sub',
      listing: [{ class: 'File' as const, basename: 'l', contents: 'hi' }],
    };
    const { job, collections } = await prepareJob(
      tool,
      {
        dir: { class: 'Directory', basename: 'd', listing: [inner, { class: 'File', location }] },
        file: { class: 'File', basename: 'f', contents: 'text' },
      },
      { keep },
    );
    const [directory] = collections;
    if (!directory) throw new Error('nothing was combined');
    expect(await keep.readText(directory, 'd/sub/l')).toBe('hi');
    expect(await keep.readText(directory, 'd/real.txt')).toBe('real');
    expect(job.command).toEqual(['tool', `/keep/${directory.portableDataHash}/d/sub/l`, 'text', '4']);
  });

  it.each(['../x', '/etc/passwd', 'a/b', '..', 'a\0b', ''])('refuses the basename %j', async (basename) => {
    const tool = await loadTool({ inputs: { file: 'File' } });
    const run = prepareJob(tool, { file: { class: 'File', basename, contents: 'x' } });
    await expect(run).rejects.toEqual(withCode('job/bad-name', /expected a file name/));
  });

  it('refuses two files of one name beside each other', async () => {
    const tool = await loadTool({ inputs: { file: 'File' } });
    const beside = { class: 'File' as const, basename: 'a', contents: 'other' };
    const run = prepareJob(tool, { file: { class: 'File', basename: 'a', contents: 'x', secondaryFiles: [beside] } });
    await expect(run).rejects.toEqual(withCode('job/staging-conflict', /staged as "a"/));
  });

  it('refuses a location of the host', async () => {
    const tool = await loadTool({ inputs: { file: 'File' } });
    const run = prepareJob(tool, { file: { class: 'File', location: 'file:///etc/passwd' } });
    await expect(run).rejects.toEqual(withCode('job/bad-location', /expected a "keep:" location/));
  });

  it.each([
    [{ x: null }, /missing input x: expected int/],
    [{ x: 'one' }, /x: expected int, got the string "one"/],
  ])('refuses %j for an int', async (inputs, message) => {
    const tool = await loadTool({ inputs: { x: 'int' } });
    await expect(prepareJob(tool, inputs)).rejects.toEqual(withCode('job/bad-input', message));
  });

  it('want their secondaryFiles, unless these are optional', async () => {
    const keep = createFakeKeep();
    const file = { class: 'File' as const, location: await keep.storeFile('a.txt', 'x') };
    const fields = (secondaryFiles: string[]) => loadTool({ inputs: { file: { type: 'File', secondaryFiles } } });
    await expect(prepareJob(await fields(['.idx?']), { file }, { keep })).resolves.toBeDefined();
    const missing = prepareJob(await fields(['^.idx']), { file }, { keep });
    await expect(missing).rejects.toEqual(
      withCode('job/missing-secondary-file', /file: expected "a.idx" beside "a.txt"/),
    );
  });

  it('want their format', async () => {
    const keep = createFakeKeep();
    const location = await keep.storeFile('a', 'x');
    const tool = await loadTool({ inputs: { file: { type: 'File', format: 'http://x/bam' } } });
    const run = (format: string) => prepareJob(tool, { file: { class: 'File', location, format } }, { keep });
    await expect(run('http://x/bam')).resolves.toBeDefined();
    await expect(run('http://x/sam')).rejects.toEqual(
      withCode('job/format-mismatch', /format http:\/\/x\/bam, got http:\/\/x\/sam/),
    );
  });

  it('load contents up to 64 KiB', async () => {
    const keep = createFakeKeep();
    const tool = await loadTool({
      inputs: { file: { type: 'File', loadContents: true } },
      arguments: ['$(inputs.file.contents)'],
    });
    const run = async (content: string) =>
      prepareJob(tool, { file: { class: 'File', location: await keep.storeFile('f', content) } }, { keep });
    expect((await run('short')).job.command).toEqual(['tool', 'short']);
    await expect(run('x'.repeat(65537))).rejects.toEqual(
      withCode('job/contents-too-large', /at most 65536 bytes, got 65537/),
    );
  });

  it('load what fields of records ask for, in lists and unions too', async () => {
    const keep = createFakeKeep();
    const { portableDataHash } = await keep.store({ 'd/sub/file': 'x' });
    const fields = {
      file: { type: 'File?', loadContents: true },
      plain: 'File',
      dir: { type: 'Directory', loadListing: 'deep_listing' },
    };
    const tool = await loadTool({
      requirements: shortcut,
      inputs: { xs: { type: ['null', { type: 'array', items: { type: 'record', fields } }] } },
      arguments: [
        '$(inputs.xs.map(x => [x.file && x.file.contents, x.plain.contents, x.dir.listing[0].listing.length]))',
      ],
    });
    const file = { class: 'File', location: `keep:${portableDataHash}/d/sub/file` } as const;
    const dir = { class: 'Directory', location: `keep:${portableDataHash}/d` } as const;
    const xs = [
      { file, plain: file, dir },
      { file: null, plain: file, dir },
    ];
    const { job } = await prepareJob(tool, { xs }, { keep });
    expect(job.command).toEqual(['tool', '["x",null,1]', '[null,null,1]']);
    expect((await prepareJob(tool, { xs: [] }, { keep })).job.command).toEqual(['tool']);
  });

  it.each([
    ['v1.0', undefined, 2],
    ['v1.2', undefined, 0],
    ['v1.2', 'shallow_listing', 1],
    ['v1.2', 'deep_listing', 2],
  ])('list directories: %s, %s', async (cwlVersion, loadListing, depth) => {
    const keep = createFakeKeep();
    const collection = await keep.store({ 'd/sub/file': 'x' });
    const tool = await loadTool({
      cwlVersion,
      inputs: { d: { type: 'Directory', ...(loadListing && { loadListing }) } },
    });
    const location = formatKeepLocation(collection.portableDataHash, 'd');
    const { job } = await prepareJob(tool, { d: { class: 'Directory', location } }, { keep });
    const d = job.inputs.d as { listing?: { listing?: unknown[] }[] };
    expect(d.listing === undefined ? 0 : d.listing[0]?.listing === undefined ? 1 : 2).toBe(depth);
  });
});

describe('streams', () => {
  it('are named by expressions', async () => {
    const keep = createFakeKeep();
    const location = await keep.storeFile('in.txt', 'x');
    const tool = await loadTool({
      inputs: { file: 'File', name: 'string' },
      stdin: '$(inputs.file.path)',
      stdout: '$(inputs.name).out',
      stderr: 'logs/err',
    });
    const { job } = await prepareJob(tool, { file: { class: 'File', location }, name: 'a' }, { keep });
    expect(job).toMatchObject({ stdin: location, stdout: 'a.out', stderr: 'logs/err' });
  });

  it.each([
    ['stdout', '../up'],
    ['stderr', '/etc/passwd'],
  ])('%s may not be %s', async (stream, name) => {
    await expect(prepareJob(await loadTool({ [stream]: name }), {})).rejects.toEqual(
      withCode('job/bad-name', /inside the output directory/),
    );
  });

  it('stdin is an input', async () => {
    const run = prepareJob(await loadTool({ stdin: '/etc/passwd' }), {});
    await expect(run).rejects.toEqual(
      withCode('job/bad-binding', /stdin: expected the path of an input file, got "\/etc\/passwd"/),
    );
  });
});

describe('amounts', () => {
  it.each<[string, JsonObject, Readonly<Record<string, number>>]>([
    ['v1.2', {}, { cores: 1, ram: 256, tmpdir: 1024, outdir: 1024 }],
    ['v1.0', {}, { cores: 1, ram: 1024, tmpdir: 1024, outdir: 1024 }],
    ['v1.2', { coresMin: 0.5, ramMax: 10, tmpdirMin: 1.5 }, { cores: 0.5, ram: 10, tmpdir: 2, outdir: 1024 }],
    [
      'v1.2',
      { coresMin: '$(inputs.n * 2)', coresMax: 8, ramMin: 100, ramMax: 200 },
      { cores: 6, ram: 100, tmpdir: 1024, outdir: 1024 },
    ],
    [
      'v1.2',
      { tmpdirMin: 5, tmpdirMax: 10, outdirMax: 20 },
      { cores: 1, ram: 256, tmpdir: 5, outdir: 20, tmpdirMax: 10, outdirMax: 20 },
    ],
  ])('%s %j', async (cwlVersion, fields, expected) => {
    const requirements = { ResourceRequirement: fields, InlineJavascriptRequirement: {} };
    const { job } = await prepareJob(await loadTool({ cwlVersion, requirements, inputs: { n: 'int' } }), { n: 3 });
    expect(job.resources).toEqual({
      cores: expected.cores,
      ramBytes: Number(expected.ram) * mib,
      tmpdirBytes: Number(expected.tmpdir) * mib,
      outdirBytes: Number(expected.outdir) * mib,
      ...(expected.tmpdirMax && { tmpdirMaxBytes: expected.tmpdirMax * mib }),
      ...(expected.outdirMax && { outdirMaxBytes: expected.outdirMax * mib }),
    });
    expect(job.runtime).toMatchObject({ cores: Math.max(1, Math.ceil(Number(expected.cores))), ram: expected.ram });
  });

  it.each([
    [{ coresMin: '$(inputs.s)' }, /coresMin to be a number that is not negative, got "x"/],
    [{ ramMin: 10, ramMax: 5 }, /ramMax to be at least ramMin \(10\), got 5/],
  ])('refuses %j', async (fields, message) => {
    const tool = await loadTool({ requirements: { ResourceRequirement: fields }, inputs: { s: 'string' } });
    const failure: unknown = await prepareJob(tool, { s: 'x' }).catch((error: unknown) => error);
    expect(failure).toEqual(withCode('job/bad-requirement', message));
    expect(failure).toMatchObject({ where: { step: expect.any(String), line: expect.any(Number) } });
  });
});

describe('settings', () => {
  it.each([
    ['v1.0', {}, { networkAccess: true, timeLimitSeconds: 0, enableReuse: true }],
    ['v1.2', {}, { networkAccess: false, timeLimitSeconds: 0, enableReuse: true }],
    [
      'v1.2',
      {
        NetworkAccess: { networkAccess: '$(inputs.yes)' },
        ToolTimeLimit: { timelimit: '$(1 + 2)' },
        WorkReuse: { enableReuse: false },
      },
      { networkAccess: true, timeLimitSeconds: 3, enableReuse: false },
    ],
  ])('%s %j', async (cwlVersion, hints, expected) => {
    const tool = await loadTool({ cwlVersion, hints, requirements: shortcut, inputs: { yes: 'boolean' } });
    expect((await prepareJob(tool, { yes: true })).job).toMatchObject(expected);
  });

  it.each([
    [{ NetworkAccess: { networkAccess: '$(inputs.s)' } }, /networkAccess: expected true or false/],
    [{ ToolTimeLimit: { timelimit: '$(-1)' } }, /timelimit: expected a number of seconds/],
  ])('refuses %j', async (hints, message) => {
    const tool = await loadTool({ hints, requirements: shortcut, inputs: { s: 'string' } });
    await expect(prepareJob(tool, { s: 'x' })).rejects.toEqual(withCode('job/bad-requirement', message));
  });

  it.each<[string, JsonObject, string | undefined]>([
    ['ResourceRequirement', { ramMin: -5 }, 'ResourceRequirement.ramMin'],
    ['EnvVarRequirement', { envDef: { 'A=B': 'x' } }, 'EnvVarRequirement.A=B'],
    ['InitialWorkDirRequirement', { listing: [{ entryname: '../x', entry: 'hi' }] }, undefined],
    ['ToolTimeLimit', { timelimit: -1 }, undefined],
    ['DockerRequirement', { dockerPull: 'x', dockerOutputDirectory: 'out' }, 'dockerOutputDirectory'],
  ])('errors of %s stand where it does', async (name, fields, field) => {
    const tool = await loadTool({ hints: { WorkReuse: { enableReuse: true }, [name]: fields } });
    const position = tool.hints.find((hint) => hint.class === name)?.position;
    const failure: unknown = await prepareJob(tool, {}).catch((error: unknown) => error);
    expect(position?.column).not.toBe(tool.position.column);
    expect(failure).toMatchObject({ where: { ...position, step: 'main', ...(field !== undefined && { field }) } });
  });

  it('errors of a stream name its field', async () => {
    const tool = await loadTool({ stdout: '../out' });
    await expect(prepareJob(tool, {})).rejects.toMatchObject({
      ...{ code: 'job/bad-name', where: { ...tool.position, step: 'main', field: 'stdout' } },
    });
  });

  it('evaluates hints, but no Dockerfile', async () => {
    const $namespaces = { arv: 'http://arvados.org/cwl#' };
    const dockerFile = 'FROM a\nRUN echo $(date) ${X}';
    const properties = { 'arv:ProcessProperties': { processProperties: { sample: '$(inputs.s)' } } };
    const tool = await loadTool({
      $namespaces,
      hints: { ...properties, DockerRequirement: { dockerFile } },
      inputs: { s: 'string' },
    });
    const { requirements } = (await prepareJob(tool, { s: 'x' })).job;
    expect(requirements.map(({ class: name, fields, isHint }) => ({ name, fields, isHint }))).toEqual([
      {
        name: 'http://arvados.org/cwl#ProcessProperties',
        fields: { processProperties: [{ propertyName: 'sample', propertyValue: 'x' }] },
        isHint: true,
      },
      { name: 'DockerRequirement', fields: { dockerFile }, isHint: true },
    ]);
  });
});

describe('environment', () => {
  it('is what EnvVarRequirement defines', async () => {
    const requirements = { EnvVarRequirement: { envDef: { A: '$(inputs.x)', B: 'b' } } };
    const { job } = await prepareJob(await loadTool({ requirements, inputs: { x: 'int' } }), { x: 3 });
    expect(job.environment).toEqual({ A: '3', B: 'b' });
  });

  it('holds text only', async () => {
    const requirements = { EnvVarRequirement: { envDef: { A: '$(inputs.x)' } } };
    const run = prepareJob(await loadTool({ requirements, inputs: { x: 'int[]' } }), { x: [3] });
    await expect(run).rejects.toEqual(withCode('job/bad-requirement', /value of A to be a string/));
  });
});

describe('secrets', () => {
  const secret = (fields: object) =>
    loadTool({
      $namespaces: cwltool,
      hints: { 'cwltool:Secrets': { secrets: ['pw'] } },
      inputs: { pw: 'string' },
      ...fields,
    });

  it('go into files that no collection holds', async () => {
    const listing = [{ entryname: 'conf', entry: 'password=$(inputs.pw)' }];
    const tool = await secret({ requirements: { InitialWorkDirRequirement: { listing } } });
    const { job, blocks } = await prepareJob(tool, { pw: 'hush' });
    expect(job.mounts).toEqual([
      { kind: 'text', content: 'password=hush', target: '/var/spool/cwl/conf', secret: true },
    ]);
    expect(job.secretInputs).toEqual(['pw']);
    expect(blocks).toEqual([]);
  });

  it.each([
    [{ arguments: ['--password=$(inputs.pw)'] }, /command line/],
    [{ requirements: { EnvVarRequirement: { envDef: { PW: '$(inputs.pw)' } } } }, /environment/],
  ])('may not show: %j', async (fields, message) => {
    await expect(prepareJob(await secret(fields), { pw: 'hush' })).rejects.toEqual(
      withCode('job/bad-binding', message),
    );
  });
});

describe('paths', () => {
  it('follow dockerOutputDirectory in a container', async () => {
    const requirements = { DockerRequirement: { dockerPull: 'x', dockerOutputDirectory: '/output' } };
    const tool = await loadTool({ requirements, arguments: ['$(runtime.outdir)'] });
    expect((await prepareJob(tool, {})).job).toMatchObject({
      command: ['tool', '/output'],
      paths: { outdir: '/output' },
    });
    const onHost = await prepareJob(tool, {}, { paths: hostPaths, inContainer: false });
    expect(onHost.job.command).toEqual(['tool', '/hallmark.host/out']);
  });

  it('must be absolute there', async () => {
    const requirements = { DockerRequirement: { dockerPull: 'x', dockerOutputDirectory: 'output' } };
    await expect(prepareJob(await loadTool({ requirements }), {})).rejects.toEqual(
      withCode('job/bad-requirement', /absolute path/),
    );
  });
});
