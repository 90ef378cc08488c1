import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  baseDigest,
  collectionMount,
  createRecorder,
  dockerfileText,
  type RecordedRun,
  recordRun,
} from '../../test/fakes/traced-run.ts';
import { hostImage } from '../api/records.ts';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { parseManifest } from '../keep/manifest.ts';
import { createMemoryBlockStore } from '../keep/memory-store.ts';
import { combine } from '../keep/tree.ts';
import { findAffected } from './affected.ts';
import { findIngredient, type Ingredient } from './ingredients.ts';
import { sha256Of } from './recipe.ts';
import { renderAffected } from './render-affected.ts';

let home: string;
let api: Cluster;
let run: RecordedRun;
const blocks = createMemoryBlockStore();

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hallmark-affected-'));
  api = openCluster({ path: ':memory:' });
  run = await recordRun(api, blocks);
});
afterEach(() => {
  api.close();
  return rm(home, { recursive: true, force: true });
});

const host = { container_image: hostImage };
const affectedBy = async (ingredient: Ingredient) => findAffected(api, await findIngredient(api, ingredient));
const names = async (ingredient: Ingredient) =>
  (await affectedBy(ingredient)).effects.map(({ requestName }) => requestName);

const builtFromIt = ['build variants:latest', 'align', 'call'];

describe('what an ingredient went into', () => {
  it.each([
    ['an image by its name', () => ({ image: 'variants:latest' }), ['align', 'call']],
    ['an image by its name without the tag', () => ({ image: 'variants' }), ['align', 'call']],
    ['an image by its hash', () => ({ image: `sha256:${'b'.repeat(64)}` }), ['align', 'call']],
    ['an image by its content', () => ({ image: run.tools.portable_data_hash }), ['align', 'call']],
    ['a base by its name', () => ({ base: 'debian:stable-slim' }), builtFromIt],
    ['a base by its registry digest', () => ({ base: baseDigest }), builtFromIt],
    ['a Dockerfile by its hash', () => ({ dockerfile: sha256Of(dockerfileText) }), builtFromIt],
    [
      'a Dockerfile by the first digits of its hash',
      () => ({ dockerfile: sha256Of(dockerfileText).slice(0, 8) }),
      builtFromIt,
    ],
    ['a commit', () => ({ commit: '0123456' }), builtFromIt],
    ['an input by its content', () => ({ input: run.reads.portable_data_hash }), ['align', 'call']],
    ['an input by its uuid', () => ({ input: run.reads.uuid }), ['align', 'call']],
    ['an intermediate result', () => ({ input: run.bam.portable_data_hash }), ['call']],
    ['the context of a build', () => ({ input: run.context.portable_data_hash }), builtFromIt],
  ])('is found for %s', async (_what, ingredient, expected) => {
    expect(await names(ingredient() as Ingredient)).toEqual(expected);
  });

  it('is found for an image by the dockerImageId of its build', async () => {
    await api.update('container_requests', run.build.uuid, { name: 'build lab/tools' });
    expect(await names({ image: 'lab/tools' })).toEqual(['align', 'call']);
  });

  it('is found for a file of this machine', async () => {
    const path = join(home, 'reads.fq');
    await writeFile(path, '@r1\nACGT\n');
    expect(await names({ input: path })).toEqual(['align', 'call']);
  });

  it('is nothing for a result that nobody used', async () => {
    const affected = await affectedBy({ input: run.vcf.portable_data_hash });
    expect(affected).toEqual({ effects: [], runs: [] });
    expect(renderAffected(affected)).toBe('nothing that the cluster holds was made with it\n');
  });

  it('tells how it got there and which outputs of which runs are affected', async () => {
    const vcf = `keep:${run.vcf.portable_data_hash}/s1.vcf`;
    const output = (location: string) => ({ class: 'File', location });
    await api.update('container_requests', run.run.uuid, {
      properties: {
        ...run.run.properties,
        cwl_output: {
          calls: [{ ...output(vcf), secondaryFiles: [output(`${vcf}.tbi`)] }],
          other: output('keep:0+0/x'),
        },
      },
    });
    const affected = await affectedBy({ input: run.reads.portable_data_hash });
    expect(affected.effects).toMatchObject([
      { kind: 'step', collection: run.bam.portable_data_hash, through: [run.reads.portable_data_hash] },
      { kind: 'step', request: run.call.uuid, through: [run.reads.portable_data_hash, run.bam.portable_data_hash] },
    ]);
    expect(affected.runs).toMatchObject([
      {
        run: run.run.uuid,
        outputs: [
          { output: 'calls', location: vcf },
          { output: 'calls', location: `${vcf}.tbi` },
        ],
      },
    ]);
    expect(renderAffected(affected).replace(/, \d{4}-.*?Z/, ', NOW')).toBe(
      `step   ${run.bam.portable_data_hash}  "align" ${run.align.uuid}\n` +
        `step   ${run.vcf.portable_data_hash}  "call" ${run.call.uuid}\n` +
        `run ${run.run.uuid} "variants.cwl", NOW: 2 of its outputs\n` +
        `  calls  ${vcf}\n  calls  ${vcf}.tbi\n`,
    );
  });

  it('leaves out what used equal content of another maker in its run', async () => {
    const { finished, image } = createRecorder(api, blocks);
    const rebuilt = await image('variants:2', 'e');
    await finished({ name: 'align again', container_image: rebuilt.portable_data_hash }, run.bam);
    expect(await names({ image: 'variants:2' })).toEqual(['align again']);
  });

  it('includes what a later run was given as an input, and what a run reused', async () => {
    const { collection, finished, image, repeat } = createRecorder(api, blocks);
    const rebuilt = await image('variants:2', 'e');
    const again = await finished({ name: 'align again', container_image: rebuilt.portable_data_hash }, run.bam);
    const reads = { '/keep/bam': collectionMount(run.bam.portable_data_hash) };
    const other = { 'hm:run': 'zzzzz-xvhdp-000000000000002' };
    await finished(
      { ...host, name: 'given', command: ['given'], mounts: reads, properties: other },
      await collection({ a: '1' }),
    );
    const third = { 'hm:run': 'zzzzz-xvhdp-000000000000003' };
    await repeat(again, { name: 'align reused', properties: third });
    await finished(
      { ...host, name: 'after', command: ['after'], mounts: reads, properties: third },
      await collection({ b: '2' }),
    );
    expect(await names({ image: 'variants:2' })).toEqual(['align again', 'given', 'after']);
  });

  it('includes what used the only result there is on a clock that was set back', async () => {
    const path = join(home, 'cluster.sqlite');
    const at = (year: number) => openCluster({ path, clock: { nowNs: () => BigInt(Date.UTC(year)) * 1_000_000n } });
    const before = at(2027);
    const { vcf } = await recordRun(before, blocks);
    before.close();
    const cluster = at(2026);
    try {
      const { collection, finished } = createRecorder(cluster, blocks);
      const work = (name: string, input: PortableDataHash) => ({
        ...host,
        name,
        command: [name],
        mounts: { '/keep/in': collectionMount(input) },
      });
      const mid = await collection({ mid: '1' });
      await finished(work('after', vcf.portable_data_hash), mid);
      await finished(work('then', mid.portable_data_hash), await collection({ end: '2' }));
      const { effects } = await findAffected(cluster, await findIngredient(cluster, { image: 'variants:latest' }));
      expect(effects.map(({ requestName }) => requestName)).toEqual(['align', 'call', 'after', 'then']);
    } finally {
      cluster.close();
    }
  });

  it('leaves out an earlier run that shares what a later one reused', async () => {
    const { finished, image, repeat } = createRecorder(api, blocks);
    const newer = await image('variants:2', 'e');
    const location = `keep:${run.vcf.portable_data_hash}/s1.vcf`;
    const properties = { ...run.run.properties, cwl_output: { calls: { class: 'File', location } } };
    await api.update('container_requests', run.run.uuid, { properties });
    const { command: runCommand, container_image } = run.run;
    const again = { name: 'again.cwl', command: runCommand, container_image, properties };
    const later = await api.create('container_requests', again);
    const inLater = { properties: { 'hm:run': later.uuid } };
    const { command, mounts } = run.align;
    const { '/out': _, ...inputs } = mounts;
    const used = { container_image: newer.portable_data_hash, name: 'align again', command, mounts: inputs };
    await finished({ ...used, ...inLater }, run.bam);
    await repeat(run.call, inLater);
    const { effects, runs } = await affectedBy({ image: 'variants:2' });
    expect(effects.map(({ requestName }) => requestName)).toEqual(['align again', 'call']);
    expect(runs.map(({ name }) => name)).toEqual(['again.cwl']);
  });

  it('leaves out what was built on a base that shares its layers with an affected image', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const hash = (digit: string) => ({ properties: { 'docker-image-hash': `sha256:${digit.repeat(64)}` } });
    const base = await collection({ 'a.tar': 'a layer' }, hash('1'));
    const built = await collection({ 'b.tar': 'a layer' }, hash('2'));
    const mounts = { '/FROM/base': collectionMount(base.portable_data_hash) };
    const build = { command: ['docker', 'build'], mounts };
    await finished({ ...build, name: 'build one', environment: { A: '1' } }, built);
    await finished({ ...build, name: 'build two', environment: { A: '2' } }, await collection({ c: '3' }, hash('3')));
    const { containers } = await findIngredient(api, { base: 'base' });
    const [one] = containers;
    const affected = await findAffected(api, { contents: [], containers: one ? [one] : [] });
    expect(affected.effects.map(({ requestName }) => requestName)).toEqual(['build one']);
  });

  it('includes builds whose context is that commit of a repository', async () => {
    const { finished, image, collection } = createRecorder(api, blocks);
    const made = await image('from-git:1', 'f');
    const commit = 'abcdef0123456789abcdef0123456789abcdef01';
    const context = { kind: 'git_tree', url: 'https://git.example/tools.git', commit } as const;
    await finished({ name: 'build from-git', command: ['docker', 'build'], mounts: { '/': context } }, made);
    const used = { container_image: made.portable_data_hash, name: 'uses it' };
    await finished(used, await collection({ 'out.txt': 'o' }));
    expect(await names({ commit: 'abcdef0' })).toEqual(['build from-git', 'uses it']);
  });

  it('includes every step of a run of that commit', async () => {
    await api.update('container_requests', run.run.uuid, {
      properties: { ...run.run.properties, 'arv:gitCommit': 'feedface00' },
    });
    expect(await names({ commit: 'feedface00' })).toEqual(['align', 'call']);
  });

  it('goes on through a collection put together from outputs', async () => {
    const { collection, finished } = createRecorder(api, blocks);
    const part = async ({ uuid }: typeof run.vcf) => parseManifest((await api.get('collections', uuid)).manifest_text);
    const joined = combine([
      { source: await part(run.vcf), path: 's1.vcf', target: 'in/a.vcf' },
      { source: await part(run.bam), path: 's1.bam', target: 'in/b.bam' },
    ]);
    await api.create('collections', { manifest_text: joined.manifestText });
    const mounts = { '/keep/in': collectionMount(joined.portableDataHash) };
    await finished({ ...host, name: 'report', mounts }, await collection({ 'report.html': 'r' }));
    expect(await names({ input: run.reads.portable_data_hash })).toEqual(['align', 'call', 'report']);
  });

  it('is refused for what no record names, and for half a word', async () => {
    await expect(names({ image: 'nobody/has:this' })).rejects.toMatchObject({
      code: 'provenance/not-found',
      message: 'no record of the cluster names image nobody/has:this',
    });
    await expect(names({ commit: 'abc' })).rejects.toMatchObject({
      code: 'provenance/bad-subject',
      message: 'expected a git commit, at least 7 hex digits, got "abc"',
    });
    await expect(names({ input: run.call.uuid })).rejects.toMatchObject({ code: 'provenance/bad-subject' });
  });
});
