import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  baseDigest,
  collectionMount,
  containerOf,
  createRecorder,
  dockerfileText,
  type RecordedRun,
  recordRun,
} from '../../test/fakes/traced-run.ts';
import { hostImage } from '../api/records.ts';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import { parseManifest } from '../keep/manifest.ts';
import { createMemoryBlockStore } from '../keep/memory-store.ts';
import type { BlockStore } from '../keep/port.ts';
import { combine } from '../keep/tree.ts';
import type { ProvenanceGraph } from './model.ts';
import { sha256Of } from './recipe.ts';
import { renderTree } from './render-tree.ts';
import { trace } from './trace.ts';

const schema = JSON.parse(readFileSync(new URL('../../schemas/provenance.schema.json', import.meta.url), 'utf8'));
const isValid = new Ajv2020({ allErrors: true, strict: true, strictTypes: false }).compile(schema);

let home: string;
let api: Cluster;
let blocks: BlockStore;
let run: RecordedRun;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hallmark-trace-'));
  api = openCluster({ path: ':memory:' });
  blocks = createMemoryBlockStore();
  run = await recordRun(api, blocks);
});
afterEach(() => {
  api.close();
  return rm(home, { recursive: true, force: true });
});

async function traceValid(subject: string): Promise<ProvenanceGraph> {
  const graph = await trace({ api, blocks }, subject);
  isValid(JSON.parse(JSON.stringify(graph)));
  expect(isValid.errors).toBeNull();
  return graph;
}

async function hostFile(text: string, name = 'result.vcf'): Promise<string> {
  const path = join(home, name);
  await writeFile(path, text);
  return path;
}

const host = { container_image: hostImage };

const kinds = (graph: ProvenanceGraph) => graph.nodes.map(({ kind }) => kind);
const node = (graph: ProvenanceGraph, id: string) => graph.nodes.find((candidate) => candidate.id === id);
const edgesFrom = (graph: ProvenanceGraph, id: string) =>
  graph.edges.filter(({ from }) => from === id).map(({ relation, to }) => `${relation} ${to}`);

describe('the trace of a result file', () => {
  it('ends at the Dockerfile and at the digest of the base', async () => {
    const graph = await traceValid(await hostFile('VCF of s1', 'renamed.vcf'));
    expect(edgesFrom(graph, graph.subject)).toEqual([`in ${run.vcf.portable_data_hash}`]);
    expect(edgesFrom(graph, run.vcf.portable_data_hash)).toEqual([`madeBy ${run.call.uuid}`]);
    expect(edgesFrom(graph, run.call.uuid)).toEqual([`ranAs ${run.call.container_uuid}`, `partOf ${run.run.uuid}`]);
    expect(edgesFrom(graph, containerOf(run.call))).toEqual([
      `image ${run.tools.portable_data_hash}`,
      `input ${run.bam.portable_data_hash}`,
    ]);
    expect(edgesFrom(graph, run.tools.portable_data_hash)).toEqual([`madeBy ${run.build.uuid}`]);
    expect(node(graph, run.build.uuid)).toMatchObject({
      kind: 'build',
      dockerfile: { text: dockerfileText, sha256: sha256Of(dockerfileText) },
      context: { portableDataHash: run.context.portable_data_hash },
      buildArguments: { BWA: '0.7.17' },
      git: { commit: '0123456789abcdef0123456789abcdef01234567', dirty: true, branch: 'main' },
      bases: [{ reference: 'debian:stable-slim', portableDataHash: run.base.portable_data_hash }],
      container: { exitCode: 0, state: 'Complete' },
    });
    expect(node(graph, run.pull.uuid)).toMatchObject({
      kind: 'pull',
      reference: 'debian:stable-slim',
      registryDigest: baseDigest,
    });
  });

  it('names the attempt that ran out of memory', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const first = await finished({ ...host, name: 'sort' }, await collection({}));
    const sorted = await collection({ 'sorted.txt': 'a b c' });
    const retried = { ...host, name: 'sort', use_existing: false, properties: { 'hm:retryOf': first.uuid } };
    const second = await finished(retried, sorted);
    const graph = await traceValid(await hostFile('a b c'));
    expect(edgesFrom(graph, sorted.portable_data_hash)).toEqual([`madeBy ${second.uuid}`]);
    expect(edgesFrom(graph, second.uuid)).toEqual([`ranAs ${second.container_uuid}`, `retryOf ${first.uuid}`]);
    expect(renderTree(graph)).toContain(`with more memory than request ${first.uuid} "sort"`);
  });

  it('goes back through the inputs to the files that nobody made', async () => {
    const graph = await traceValid(await hostFile('VCF of s1'));
    expect(edgesFrom(graph, run.bam.portable_data_hash)).toEqual([`madeBy ${run.align.uuid}`]);
    expect(node(graph, run.reads.portable_data_hash)).toMatchObject({ kind: 'collection', name: 'Input s1.fq' });
    expect(edgesFrom(graph, run.reads.portable_data_hash)).toEqual([]);
  });

  it('reads every record once, however often it is met', async () => {
    const graph = await traceValid(await hostFile('VCF of s1'));
    const ids = graph.nodes.map(({ id }) => id as string);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id === run.tools.portable_data_hash)).toHaveLength(1);
  });

  it('names the step that made it, not one that only passed it on', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const passed = await collection({ 'copy/s1.vcf': 'VCF of s1', 'index.tbi': 'index' });
    await finished(
      { ...host, name: 'index', mounts: { '/keep/vcf': collectionMount(run.vcf.portable_data_hash) } },
      passed,
    );
    const graph = await traceValid(await hostFile('VCF of s1'));
    expect(edgesFrom(graph, graph.subject)).toEqual([`in ${run.vcf.portable_data_hash}`]);
  });

  it('names every step that made the same content by itself', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const again = await collection({ 'other.vcf': 'VCF of s1' });
    await finished({ ...host, name: 'call again' }, again);
    const graph = await traceValid(await hostFile('VCF of s1'));
    expect(edgesFrom(graph, graph.subject)).toEqual([
      `in ${run.vcf.portable_data_hash}`,
      `in ${again.portable_data_hash}`,
    ]);
  });

  it('of an input says which collection it came into Keep with', async () => {
    const graph = await traceValid(await hostFile('@r1\nACGT\n', 's1.fq'));
    expect(kinds(graph)).toEqual(['file', 'collection']);
    expect(edgesFrom(graph, graph.subject)).toEqual([`in ${run.reads.portable_data_hash}`]);
  });
});

describe('the trace of records', () => {
  it('of a run shows its steps', async () => {
    const graph = await traceValid(run.run.uuid);
    expect(edgesFrom(graph, run.run.uuid)).toEqual(
      [run.pull, run.build, run.align, run.call].map(({ uuid }) => `step ${uuid}`),
    );
    expect(node(graph, run.run.uuid)).toMatchObject({ document: 'file:///home/ada/variants.cwl', status: 'success' });
  });

  it('of a container, a request, a collection or a file in Keep meet in the same nodes', async () => {
    const subjects = [
      containerOf(run.call),
      run.call.uuid,
      run.vcf.uuid,
      run.vcf.portable_data_hash,
      `keep:${run.vcf.portable_data_hash}/s1.vcf`,
    ];
    for (const subject of subjects)
      expect((await traceValid(subject)).nodes).toContainEqual(expect.objectContaining({ id: run.pull.uuid }));
  });

  it('takes a collection of files from several steps apart', async () => {
    const part = async (hash: typeof run.vcf) => parseManifest((await api.get('collections', hash.uuid)).manifest_text);
    const joined = combine([
      { source: await part(run.vcf), path: 's1.vcf', target: 'a.vcf' },
      { source: await part(run.bam), path: 's1.bam', target: 'b.bam' },
    ]);
    await api.create('collections', { manifest_text: joined.manifestText, name: 'Output of main' });
    const graph = await traceValid(joined.portableDataHash);
    expect(graph.edges.filter(({ from }) => from === graph.subject)).toEqual([
      { from: graph.subject, relation: 'in', label: 'a.vcf', to: run.vcf.portable_data_hash },
      { from: graph.subject, relation: 'in', label: 'b.bam', to: run.bam.portable_data_hash },
    ]);
  });

  it('prefers the request of the same run where several share a container', async () => {
    const again = await api.create('container_requests', { name: 'second run', properties: { 'hm:kind': 'run' } });
    const reuse = { properties: { 'hm:run': again.uuid } };
    const { repeat } = createRecorder(api, blocks);
    const build = await repeat(run.build, reuse);
    const call = await repeat(run.call, reuse);
    expect(call.container_uuid).toBe(run.call.container_uuid);
    const graph = await traceValid(call.uuid);
    expect(edgesFrom(graph, run.tools.portable_data_hash)).toEqual([`madeBy ${build.uuid}`]);
    expect(node(graph, call.uuid)).toMatchObject({ reusedBy: [run.call.uuid] });
  });

  it('follows another archive of the same image', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const { 'docker-image-hash': hash } = run.tools.properties;
    const twin = await collection(
      { [`${hash}.tar`]: 'the same image, archived again' },
      { properties: { 'docker-image-hash': hash ?? '', 'docker-image-repo-tag': 'copied:1' } },
    );
    const output = await collection({ out: 'made in the twin' });
    const step = await finished({ name: 'in twin', container_image: twin.portable_data_hash }, output);
    const graph = await traceValid(step.uuid);
    expect(edgesFrom(graph, twin.portable_data_hash)).toEqual([`madeBy ${run.build.uuid}`]);
  });

  it('reads a Dockerfile that lies in the context', async () => {
    const { collection, finished, image } = createRecorder(api, blocks);
    const context = await collection({ 'docker/Dockerfile.gpu': 'FROM scratch\n' });
    const build = await finished(
      {
        command: ['docker', 'build', '/Dockerfile.gpu'],
        mounts: { '/': { kind: 'collection', portable_data_hash: context.portable_data_hash, path: 'docker' } },
      },
      await image('gpu:1', 'c'),
    );
    const graph = await traceValid(build.uuid);
    expect(graph.nodes[0]).toMatchObject({
      dockerfile: { path: '/Dockerfile.gpu', text: 'FROM scratch\n', sha256: sha256Of('FROM scratch\n') },
    });
    const without = await trace({ api }, build.uuid);
    expect(without.nodes[0]).toMatchObject({ dockerfile: { path: '/Dockerfile.gpu' } });
  });

  it('does not take the empty output of another step for where an empty input comes from', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const nothing = await collection({});
    await finished({ ...host, name: 'makes nothing', command: ['true', '1'] }, nothing);
    const mounts = { '/keep/nothing': collectionMount(nothing.portable_data_hash) };
    const step = await finished({ ...host, name: 'reads nothing', mounts }, await collection({ a: 'of nothing' }));
    const graph = await traceValid(step.uuid);
    expect(edgesFrom(graph, nothing.portable_data_hash)).toEqual([]);
  });

  it('stays in the run where several runs made the same content', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const other = { properties: { 'hm:run': run.build.uuid } };
    const again = await collection({ 's1.bam': 'BAM of s1' });
    await finished({ ...host, ...other, name: 'align elsewhere' }, again);
    const graph = await traceValid(run.call.uuid);
    expect(edgesFrom(graph, run.bam.portable_data_hash)).toEqual([`madeBy ${run.align.uuid}`]);
    expect(edgesFrom(await traceValid(run.bam.uuid), run.bam.portable_data_hash)).toHaveLength(2);
  });

  it('says that a step on the host has no image', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const step = await finished({ command: ['true'], container_image: hostImage }, await collection({ a: 'host' }));
    const graph = await traceValid(step.uuid);
    expect(edgesFrom(graph, containerOf(step))).toEqual(['image host']);
    expect(renderTree(graph)).toContain('in the host itself: no record holds its software');
  });

  it('follows a mount that names a record by what that record holds', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const mounts = { '/keep/by-uuid': { kind: 'collection' as const, uuid: run.vcf.uuid } };
    const step = await finished({ ...host, mounts }, await collection({ a: 'by uuid' }));
    const graph = await traceValid(step.uuid);
    expect(edgesFrom(graph, containerOf(step))).toContain(`input ${run.vcf.portable_data_hash}`);
  });

  it('finds the run of a step by the container that asked for it, as on a cluster', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const runner = await finished(
      { ...host, name: 'wf', command: ['arvados-cwl-runner', 'wf.cwl'] },
      await collection({ o: 'out' }),
    );
    const step = await finished(
      { ...host, name: 's', requesting_container_uuid: runner.container_uuid },
      await collection({ s: 's' }),
    );
    expect(edgesFrom(await traceValid(step.uuid), step.uuid)).toContain(`partOf ${runner.uuid}`);
    expect(edgesFrom(await traceValid(runner.uuid), runner.uuid)).toEqual([`step ${step.uuid}`]);
  });
});

/** Uuids become `<type>-<number>` in the order they are met; times are left out. */
function withoutChance(text: string): string {
  const numbers = new Map<string, number>();
  return text
    .replace(/[0-9a-z]{5}-([0-9a-z]{5})-[0-9a-z]{15}/g, (uuid, type: string) => {
      numbers.set(uuid, numbers.get(uuid) ?? numbers.size + 1);
      return `${type}-${numbers.get(uuid)}`;
    })
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '<time>');
}

describe('the tree', () => {
  it('reads from the result down to the base', async () => {
    const path = await hostFile('VCF of s1');
    const tree = renderTree(await traceValid(path)).replace(path, 'result.vcf');
    await expect(withoutChance(tree)).toMatchFileSnapshot('../../test/fixtures/provenance/tree.txt');
  });

  it('lets no control code of a record reach the terminal', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const step = await finished({ ...host, name: 'x\u001b[2Jy', command: ['a\nb'] }, await collection({ a: 'evil' }));
    const tree = renderTree(await traceValid(step.uuid));
    expect(tree).toContain('"x\\x1b[2Jy"');
    expect(tree).toContain("'a\\xab'");
  });

  it.each([
    ['by its hash where it has no name', {}, `image sha256:${'e'.repeat(12)}\n`],
    ['by a name without its control codes', { 'docker-image-repo-tag': 'x\u001b[2J:1' }, 'image x\\x1b[2J:1\n'],
  ])('names an image %s', async (_, named, title) => {
    const { collection, finished } = createRecorder(api, blocks);
    const hash = `sha256:${'e'.repeat(64)}`;
    const properties = { 'docker-image-hash': hash, ...named };
    const image = await collection({ [`${hash}.tar`]: `an archive: ${JSON.stringify(named)}` }, { properties });
    const request = { name: 'step', container_image: image.portable_data_hash };
    const step = await finished(request, await collection({ a: `made in it: ${title}` }));
    expect(renderTree(await traceValid(step.uuid))).toContain(title);
  });
});

describe('what cannot be traced', () => {
  const refused = async (subject: string) => {
    const error = await trace({ api, blocks }, subject).catch((caught: unknown) => caught);
    return error as { code: string; message: string; hint: string };
  };

  it('says that no collection holds the content', async () => {
    const path = await hostFile('edited since');
    expect(await refused(path)).toMatchObject({
      code: 'provenance/not-found',
      message: `no collection holds a file with the content of ${path}`,
      hint: expect.stringContaining('changed since'),
    });
  });

  it('says that an empty file has no content', async () => {
    expect((await refused(await hostFile(''))).message).toMatch(/is empty: it has no content to be found by$/);
  });

  it('says that there is no such file', async () => {
    expect(await refused(join(home, 'none'))).toMatchObject({
      code: 'provenance/bad-subject',
      message: expect.stringMatching(/^there is no file .*none$/),
    });
    expect((await refused(home)).message).toMatch(/it is not a regular file|EISDIR/);
  });

  it('says that the cluster has no such collection, file or kind of record', async () => {
    const unknown = `${'0'.repeat(32)}+42`;
    expect((await refused(unknown)).message).toBe(`the cluster has no collection ${unknown}`);
    expect((await refused(`keep:${run.vcf.portable_data_hash}/x`)).message).toContain('has no file "x"');
    expect((await refused('zzzzz-tpzed-000000000000000')).message).toMatch(
      /^expected a container request, container or/,
    );
  });
});
