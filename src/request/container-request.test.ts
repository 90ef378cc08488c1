import { describe, expect, it } from 'vitest';
import { createFakeKeep, loadTool, prepareJob, withCode } from '../../test/fakes/job-kit.ts';
import { type ContainerRequest, hostImage } from '../api/records.ts';
import type { JsonValue } from '../core/json.ts';
import { gib, mib } from '../core/units.ts';
import type { CwlObject } from '../cwl/values.ts';
import { hostPaths } from '../job/paths.ts';
import { toContainerRequest } from './container-request.ts';
import type { RequestOptions } from './contribution.ts';
import { findOutOfMemoryRetry } from './requirements/out-of-memory-retry.ts';

const image = 'acbd18db4cc2f85cedef654fccc4a4d8+3';
const $namespaces = {
  arv: 'http://arvados.org/cwl#',
  cwltool: 'http://commonwl.org/cwltool#',
  hm: 'urn:hallmark:cwl#',
};
const keep = createFakeKeep();
type Fields = { readonly [field: string]: JsonValue };

async function request(
  fields: Fields,
  options: RequestOptions = {},
  inputs: CwlObject = {},
): Promise<Partial<ContainerRequest>> {
  const tool = await loadTool({ $namespaces, requirements: { InlineJavascriptRequirement: {} }, ...fields });
  return toContainerRequest((await prepareJob(tool, inputs, { keep })).job, image, options);
}
const withHints = (hints: Fields, options: RequestOptions = {}) => request({ hints }, options);

describe('a container request', () => {
  it('has the fields that arvados-cwl-runner sends', async () => {
    const collection = await keep.store({ 'in/a.txt': 'A', 'in/b.txt': 'B', c: 'C' });
    const hash = collection.portableDataHash;
    const at = (path: string) => ({ class: 'File' as const, location: `keep:${hash}/${path}` });
    const fields = {
      inputs: { a: { type: 'File', inputBinding: {} }, c: 'File', n: 'int' },
      outputs: { out: { type: 'File', outputBinding: { glob: 'out.txt' } } },
      stdin: '$(inputs.c.path)',
      stdout: 'out.txt',
      stderr: 'err.txt',
      requirements: { EnvVarRequirement: { envDef: { LANG: 'C' } }, ToolTimeLimit: { timelimit: 60 } },
      hints: { ResourceRequirement: { coresMin: 1.5, ramMin: 100, tmpdirMin: 1, outdirMin: 2 } },
    };
    expect(await request(fields, {}, { a: at('in/a.txt'), c: at('c'), n: 3 })).toEqual({
      name: 'main',
      state: 'Committed',
      priority: 500,
      command: ['tool', `/keep/${hash}/in/a.txt`],
      container_image: image,
      cwd: '/var/spool/cwl',
      output_path: '/var/spool/cwl',
      output_glob: ['out.txt', 'out.txt/**', 'cwl.output.json'],
      environment: { TMPDIR: '/tmp', HOME: '/var/spool/cwl', LANG: 'C' },
      mounts: {
        '/var/spool/cwl': { kind: 'tmp', capacity: 2 * mib },
        '/tmp': { kind: 'tmp', capacity: mib },
        [`/keep/${hash}`]: { kind: 'collection', portable_data_hash: hash },
        stdin: { kind: 'collection', portable_data_hash: hash, path: 'c' },
        stdout: { kind: 'file', path: '/var/spool/cwl/out.txt' },
        stderr: { kind: 'file', path: '/var/spool/cwl/err.txt' },
      },
      secret_mounts: {},
      runtime_constraints: { vcpus: 2, ram: 100 * mib },
      scheduling_parameters: { max_run_time: 60, 'hm:cores': 1.5 },
      use_existing: true,
      output_name: 'Output from step main',
      output_ttl: 0,
      properties: {
        cwl_input: {
          a: { class: 'File', location: `keep:${hash}/in/a.txt`, basename: 'a.txt', size: 1 },
          c: { class: 'File', location: `keep:${hash}/c`, basename: 'c', size: 1 },
          n: 3,
        },
      },
    });
  });

  it('mounts what InitialWorkDirRequirement stages, and hides secrets', async () => {
    const listing = [
      { entryname: 'conf', entry: 'pw=$(inputs.pw)' },
      { entryname: 'd/script', entry: 'echo', writable: true },
    ];
    const fields = {
      inputs: { pw: 'string' },
      requirements: { InitialWorkDirRequirement: { listing } },
      hints: { 'cwltool:Secrets': { secrets: ['pw'] } },
    };
    const made = await request(fields, {}, { pw: 'hush' });
    expect(made.mounts?.['/var/spool/cwl/d/script']).toMatchObject({
      kind: 'collection',
      path: 'd/script',
      writable: true,
    });
    expect(made.secret_mounts).toEqual({ '/var/spool/cwl/conf': { kind: 'text', content: 'pw=hush' } });
    expect(made.properties).toEqual({ cwl_input: { pw: '(secret)' } });
    expect(JSON.stringify({ ...made, secret_mounts: {} })).not.toContain('hush');
  });

  it('names the collection of an input by its uuid where the input does', async () => {
    const location = await keep.storeFile('f', 'x');
    const uuid = 'zzzzz-4zz18-000000000000000';
    const inputs = { f: { class: 'File' as const, location, 'http://arvados.org/cwl#collectionUUID': uuid } };
    const made = await request({ inputs: { f: 'File' } }, {}, inputs);
    expect(Object.values(made.mounts ?? {})).toContainEqual(expect.objectContaining({ kind: 'collection', uuid }));
  });

  it('may be for the host', async () => {
    const { job } = await prepareJob(
      await loadTool({ arguments: ['$(runtime.tmpdir)'] }),
      {},
      { paths: hostPaths, inContainer: false },
    );
    expect(toContainerRequest(job, hostImage)).toMatchObject({
      container_image: 'hallmark/host',
      command: ['tool', '/hallmark.host/tmp'],
      cwd: '/hallmark.host/out',
      environment: { HOME: '/hallmark.host/out', TMPDIR: '/hallmark.host/tmp' },
    });
  });

  it('needs an image that is resolved', async () => {
    const { job } = await prepareJob(await loadTool({}), {});
    expect(() => toContainerRequest(job, 'debian:12')).toThrowError(
      withCode('request/bad-image', /got "debian:12"/) as never,
    );
  });

  it.each<[RequestOptions, Partial<ContainerRequest>]>([
    [{ priority: 1 }, { priority: 1 }],
    [{ outputTtl: 60 }, { output_ttl: 60 }],
    [{ reuse: false }, { use_existing: false }],
    [{ preemptible: true }, { scheduling_parameters: { preemptible: true } }],
    [{ storageClasses: ['hot'] }, { output_storage_classes: ['hot'] }],
  ])('with %j', async (options, expected) => expect(await request({}, options)).toMatchObject(expected));
});

describe('requirements', () => {
  const gpu = (stack: string, more: object) => ({
    runtime_constraints: { gpu: { stack, device_count: 1, vram: 0, ...more } },
  });
  it.each<[Fields, object]>([
    [{ NetworkAccess: { networkAccess: true } }, { runtime_constraints: { API: true } }],
    [{ NetworkAccess: { networkAccess: false } }, { runtime_constraints: { API: false } }],
    [{ WorkReuse: { enableReuse: false } }, { use_existing: false }],
    [{ 'arv:ReuseRequirement': { enableReuse: false } }, { use_existing: false }],
    [{ 'arv:APIRequirement': {} }, { runtime_constraints: { API: true } }],
    [{ 'arv:RuntimeConstraints': { keep_cache: 512 } }, { runtime_constraints: { keep_cache_disk: 512 * mib } }],
    [
      { 'arv:RuntimeConstraints': { keep_cache: 512 }, 'arv:KeepCacheTypeRequirement': { keepCacheType: 'ram_cache' } },
      { runtime_constraints: { keep_cache_ram: 512 * mib } },
    ],
    [
      { 'arv:RuntimeConstraints': { outputDirType: 'keep_output_dir' } },
      { mounts: { '/var/spool/cwl': { kind: 'collection', writable: true } } },
    ],
    [{ 'arv:PartitionRequirement': { partition: 'fast' } }, { scheduling_parameters: { partitions: ['fast'] } }],
    [{ 'arv:IntermediateOutput': { outputTTL: 3600 } }, { output_ttl: 3600 }],
    [{ 'arv:OutputStorageClass': { intermediateStorageClass: ['cold'] } }, { output_storage_classes: ['cold'] }],
    [{ 'arv:UsePreemptible': { usePreemptible: true } }, { scheduling_parameters: { preemptible: true } }],
    [
      { 'arv:UsePreemptible': { usePreemptible: true }, 'arv:PreemptionBehavior': { resubmitNonPreemptible: true } },
      { container_count_max: 1 },
    ],
    [
      { 'arv:ClusterTarget': { project_uuid: 'zzzzz-j7d0g-000000000000000' } },
      { owner_uuid: 'zzzzz-j7d0g-000000000000000' },
    ],
    [
      { 'arv:ProcessProperties': { processProperties: { sample: '$(1 + 1)' } } },
      { properties: { sample: 2, cwl_input: {} } },
    ],
    [
      { 'arv:OutputCollectionProperties': { outputProperties: { kind: 'vcf' } } },
      { output_properties: { kind: 'vcf' } },
    ],
    [
      { 'arv:PublishPorts': { publishPorts: { '80': { serviceAccess: 'public', label: 'web' } } } },
      {
        service: true,
        use_existing: false,
        published_ports: { 80: { access: 'public', initial_path: '', label: 'web' } },
        runtime_constraints: { API: true },
      },
    ],
    [
      {
        'cwltool:CUDARequirement': {
          cudaVersionMin: '11.4',
          cudaComputeCapability: '8.0',
          cudaDeviceCountMin: 2,
          cudaVram: 1024,
        },
      },
      gpu('cuda', { device_count: 2, driver_version: '11.4', hardware_target: ['8.0'], vram: gib }),
    ],
    [
      {
        'arv:ROCmRequirement': {
          rocmDriverVersion: '6.0',
          rocmTarget: ['gfx1100'],
          rocmDeviceCountMax: 3,
          rocmVram: 8,
        },
      },
      gpu('rocm', { device_count: 3, driver_version: '6.0', hardware_target: ['gfx1100'], vram: 8 * mib }),
    ],
  ])('%j', async (hints, expected) => expect(await withHints(hints)).toMatchObject(expected));

  it('of a v1.0 document have the network unasked', async () => {
    expect((await request({ cwlVersion: 'v1.0' })).runtime_constraints).toMatchObject({ API: true });
  });

  it.each([
    [{}, 1, {}],
    [{ coresMin: 2 }, 2, {}],
    [{ coresMin: 0.01 }, 1, { 'hm:cores': 0.01 }],
    [{ coresMax: 2.5 }, 3, { 'hm:cores': 2.5 }],
    [{ coresMin: 0 }, 1, { 'hm:cores': 0 }],
  ])('ask for whole cores, and say what they are planned with: %j', async (amounts, vcpus, scheduling_parameters) => {
    const made = await withHints({ ResourceRequirement: amounts });
    expect(made).toMatchObject({ runtime_constraints: { vcpus }, scheduling_parameters });
    expect(Object.keys(made.scheduling_parameters ?? {})).toEqual(Object.keys(scheduling_parameters));
  });

  it('limit the disk where the tool does, beside what they reserve', async () => {
    const made = await withHints({ ResourceRequirement: { tmpdirMax: 2, outdirMin: 1, outdirMax: 3 } });
    expect(made.scheduling_parameters).toEqual({ 'hm:max_tmp': 2 * mib, 'hm:max_output': 3 * mib });
    expect(made.mounts?.['/tmp']).toEqual({ kind: 'tmp', capacity: 2 * mib });
    expect(made.mounts?.['/var/spool/cwl']).toEqual({ kind: 'tmp', capacity: mib });
  });

  it.each([
    ['podman', 'podman'],
    ['singularity', 'apptainer'],
  ])('choose an executor: %s', async (executor, expected) => {
    const made = await withHints({ 'hm:Executor': { executor } });
    expect(made.scheduling_parameters).toEqual({ 'hm:executor': expected });
  });

  it('yield to a user who forbids preemptible instances', async () => {
    const made = await withHints({ 'arv:UsePreemptible': { usePreemptible: true } }, { preemptible: false });
    expect(made.scheduling_parameters).toEqual({ preemptible: false });
  });

  it('are refused with a value of another type', async () => {
    const run = withHints({
      'cwltool:CUDARequirement': { cudaVersionMin: '11', cudaComputeCapability: '8.0', cudaDeviceCountMin: '$("two")' },
    });
    await expect(run).rejects.toEqual(
      withCode('request/bad-requirement', /CUDARequirement.cudaDeviceCountMin: expected a number.*"two"/),
    );
  });

  it.each<[Fields, unknown]>([
    [{}, undefined],
    [{ 'arv:OutOfMemoryRetry': {} }, { multiplier: 2, pattern: expect.stringContaining('bad_alloc') }],
    [
      { 'arv:OutOfMemoryRetry': { memoryRetryMultiplier: 3, memoryErrorRegex: 'oom$' } },
      { multiplier: 3, pattern: 'oom$' },
    ],
    [{ 'arv:OutOfMemoryRetry': { memoryRetryMultipler: 4, memoryErrorRegex: 'x' } }, { multiplier: 4, pattern: 'x' }],
  ])('retry after running out of memory: %j', async (hints, expected) => {
    const { job } = await prepareJob(await loadTool({ $namespaces, hints }), {});
    expect(findOutOfMemoryRetry(job)).toEqual(expected);
  });
});
