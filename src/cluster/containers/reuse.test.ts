import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectCode } from '../../../test/contract/cluster-api.ts';
import { containerOf, hostRequest, lock, runThrough, saveImage } from '../../../test/fakes/cluster-work.ts';
import type { ContainerRequest } from '../../api/records.ts';
import type { PortableDataHash, Uuid } from '../../core/ids.ts';
import { type Cluster, openCluster } from '../cluster.ts';

let cluster: Cluster;
const submit = (more: Partial<ContainerRequest> = {}) => cluster.create('container_requests', hostRequest(more));
const submitDone = async (more: Partial<ContainerRequest> = {}, exitCode = 0) => {
  const made = await submit(more);
  await runThrough(cluster, containerOf(made), exitCode);
  return made;
};

beforeEach(() => {
  cluster = openCluster({ path: ':memory:' });
});
afterEach(() => cluster.close());

describe('reuse', () => {
  it('ends a request at once with the outputs of an equal one', async () => {
    const first = await submitDone();
    const second = await submit();
    expect(second).toMatchObject({ state: 'Final', container_uuid: first.container_uuid });
    const output = await cluster.get('collections', second.output_uuid as Uuid);
    expect(output.properties).toMatchObject({ container_request: second.uuid });
    expect(await cluster.explainReuse(second.uuid)).toEqual({ kind: 'reused', container: first.container_uuid });
  });

  it('shares a container that has not ended, at the higher priority', async () => {
    const first = await submit({ priority: 5 });
    const second = await submit({ priority: 50 });
    expect(second.container_uuid).toBe(first.container_uuid);
    expect(await cluster.get('containers', containerOf(first))).toMatchObject({ priority: 50 });
  });

  it('does not mind amounts', async () => {
    const first = await submitDone();
    const second = await submit({
      runtime_constraints: { ram: 1 << 30, vcpus: 7, keep_cache_disk: 1, keep_cache_ram: 1 },
      mounts: { '/out': { kind: 'tmp', capacity: 99 } },
      scheduling_parameters: { max_run_time: 5 },
    });
    expect(second.container_uuid).toBe(first.container_uuid);
  });

  it('is refused by use_existing: false', async () => {
    const first = await submitDone();
    const second = await submit({ use_existing: false });
    expect(second.container_uuid).not.toBe(first.container_uuid);
    expect(await cluster.explainReuse(second.uuid)).toMatchObject({ because: { reason: 'reuse-disabled' } });
  });

  it('passes over what failed, and what has lost its output or log', async () => {
    const failed = await submitDone({}, 1);
    const second = await submitDone();
    expect(second.container_uuid).not.toBe(failed.container_uuid);
    expect(await cluster.explainReuse(second.uuid)).toMatchObject({
      because: { reason: 'earlier-failed', earlier: failed.container_uuid },
    });
    for (const { uuid } of (await cluster.list('collections', {})).items) await cluster.remove('collections', uuid);
    const third = await submit();
    expect(third.container_uuid).not.toBe(second.container_uuid);
    expect(await cluster.explainReuse(third.uuid)).toMatchObject({ because: { reason: 'earlier-output-gone' } });
  });

  it('passes over a container that has reported an error', async () => {
    const first = await submit();
    await lock(cluster, containerOf(first));
    await cluster.update('containers', containerOf(first), { runtime_status: { error: 'a step has failed' } });
    expect((await submit()).container_uuid).not.toBe(first.container_uuid);
  });

  it('takes a mount by uuid for its content', async () => {
    const manifest_text = '. acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:in\n';
    const [a, b] = [
      await cluster.create('collections', { manifest_text }),
      await cluster.create('collections', { manifest_text }),
    ];
    const mounting = (mount: object) => ({
      mounts: { '/out': { kind: 'tmp', capacity: 1 }, '/in': { kind: 'collection', ...mount } } as const,
    });
    const first = await submitDone(mounting({ uuid: a.uuid }));
    expect(await cluster.get('containers', containerOf(first))).toMatchObject({
      mounts: { '/in': { kind: 'collection', portable_data_hash: a.portable_data_hash } },
    });
    expect((await submit(mounting({ uuid: b.uuid, path: '/' }))).container_uuid).toBe(first.container_uuid);
    expect((await submit(mounting({ portable_data_hash: a.portable_data_hash }))).container_uuid).toBe(
      first.container_uuid,
    );
    expect((await submit(mounting({ uuid: b.uuid, path: '/in' }))).container_uuid).not.toBe(first.container_uuid);
    await expectCode('api/bad-attribute', submit(mounting({ uuid: 'zzzzz-4zz18-zzzzzzzzzzzzzzz' })), /is not here/);
  });

  it('takes two archives of one image for one image', async () => {
    const [a, b] = [await saveImage(cluster, 'tool:1', 'a', 1), await saveImage(cluster, 'tool:1', 'a', 2)];
    const other = await saveImage(cluster, 'tool:2', 'b', 3);
    const first = await submitDone({ container_image: a.portable_data_hash });
    expect((await submit({ container_image: b.portable_data_hash })).container_uuid).toBe(first.container_uuid);
    expect((await submit({ container_image: 'tool:1' })).container_uuid).toBe(first.container_uuid);
    const changed = await submit({ container_image: other.portable_data_hash });
    expect(changed.container_uuid).not.toBe(first.container_uuid);
    expect(await cluster.explainReuse(changed.uuid)).toMatchObject({
      because: { reason: 'differs', fields: [{ field: 'container_image' }] },
    });
    await expectCode('api/bad-attribute', submit({ container_image: 'nobody/has:this' }), /not in Keep/);
    const unknown = `${'0'.repeat(32)}+9`;
    await expectCode('api/bad-attribute', submit({ container_image: unknown }), /not in Keep/);
  });

  it('takes a rebuilt base image with the same content for the same build', async () => {
    const [a, b] = [await saveImage(cluster, 'base:1', 'a', 1), await saveImage(cluster, 'base:1', 'a', 2)];
    const build = (base: PortableDataHash) =>
      submit({
        container_image: 'arvados/builtin',
        command: ['docker', 'build'],
        output_path: '/',
        mounts: { '/bases/0': { kind: 'collection', portable_data_hash: base } },
      });
    expect((await build(a.portable_data_hash)).container_uuid).toBe((await build(b.portable_data_hash)).container_uuid);
  });
});

describe('what differs', () => {
  const cases: readonly (readonly [field: string, change: Partial<ContainerRequest>])[] = [
    ['command', { command: ['false'] }],
    ['cwd', { cwd: '/elsewhere' }],
    ['environment.A', { environment: { A: '1' } }],
    ['mounts./x', { mounts: { '/out': { kind: 'tmp', capacity: 1 }, '/x': { kind: 'text', content: 'x' } } }],
    ['output_glob', { output_glob: ['*.vcf'] }],
    ['secret_mounts', { secret_mounts: { '/s': { kind: 'text', content: 'hush' } } }],
    ['runtime_constraints.API', { runtime_constraints: { ram: 1, vcpus: 1, API: true } }],
  ];
  it.each(cases)('%s', async (field, change) => {
    const first = await submitDone();
    const second = await submit(change);
    expect(second.container_uuid).not.toBe(first.container_uuid);
    const explanation = await cluster.explainReuse(second.uuid);
    expect(explanation).toMatchObject({ because: { reason: 'differs', earlier: first.container_uuid } });
    expect(explanation).toMatchObject({ because: { fields: [{ field }] } });
    expect(JSON.stringify(explanation)).not.toContain('hush');
  });

  it('is told against the nearest of many', async () => {
    for (const sample of ['a', 'b', 'c']) await submitDone({ command: ['align', sample], environment: { T: '1' } });
    const again = await submit({ command: ['align', 'b'], environment: { T: '2' } });
    expect(await cluster.explainReuse(again.uuid)).toMatchObject({
      because: { fields: [{ field: 'environment.T', before: '"1"', now: '"2"' }] },
    });
  });

  it('is nothing the first time, and undecided before there is a container', async () => {
    expect(await cluster.explainReuse((await submit()).uuid)).toMatchObject({ because: { reason: 'first-time' } });
    const idle = await submit({ state: 'Uncommitted' });
    expect(await cluster.explainReuse(idle.uuid)).toEqual({ kind: 'undecided' });
  });
});

describe('images by name', () => {
  it('are the newest that is really that image', async () => {
    await saveImage(cluster, 'tool:1', 'a', 1, '2026-01-01T00:00:00Z');
    const newer = await saveImage(cluster, 'tool:1', 'b', 2, '2026-02-01T00:00:00Z');
    await cluster.create('collections', {
      manifest_text: '. acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:modified.txt\n',
      properties: { 'docker-image-repo-tag': 'tool:1', 'docker-image-timestamp': '2026-03-01T00:00:00Z' },
    });
    const made = await submit({ container_image: 'tool:1' });
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({
      container_image: newer.portable_data_hash,
    });
  });

  it('are found by the links that older clients left', async () => {
    const image = await saveImage(cluster, '', 'c');
    await cluster.create('links', { link_class: 'docker_image_repo+tag', name: 'old:1', head_uuid: image.uuid });
    const made = await submit({ container_image: 'old:1' });
    expect(await cluster.get('containers', containerOf(made))).toMatchObject({
      container_image: image.portable_data_hash,
    });
  });

  it('by a short hash are refused when it fits several', async () => {
    await saveImage(cluster, 'a:1', 'a', 1);
    const twin = `${'a'.repeat(63)}b`;
    await cluster.create('collections', { manifest_text: `. ${'0'.repeat(32)}+0 0:0:sha256:${twin}.tar\n` });
    await expectCode(
      'api/bad-attribute',
      submit({ container_image: 'a'.repeat(12) }),
      /fits 2 images: sha256:a{64}, sha256:a{63}b/,
    );
    const made = await submit({ container_image: twin });
    expect(made.container_uuid).not.toBeNull();
  });

  it('filter containers by name, hash or any of several', async () => {
    const [one, two] = [await saveImage(cluster, 'tool:1', 'a', 1), await saveImage(cluster, 'tool:2', 'b', 2)];
    const [a, b] = [
      await submit({ container_image: one.portable_data_hash }),
      await submit({ container_image: two.portable_data_hash }),
    ];
    const found = async (operator: 'in docker' | 'not in docker', names: unknown) => {
      const page = await cluster.list('containers', {
        filters: [['container_image', operator, names]],
        order: ['created_at'],
      });
      return page.items.map((item) => item.uuid);
    };
    expect(await found('in docker', 'tool:1')).toEqual([a.container_uuid]);
    expect(await found('in docker', 'tool')).toEqual([a.container_uuid, b.container_uuid]);
    expect(await found('not in docker', 'tool:1')).toEqual([b.container_uuid]);
    expect(await found('in docker', ['tool:1', `sha256:${'b'.repeat(64)}`])).toEqual([
      a.container_uuid,
      b.container_uuid,
    ]);
    expect(await found('in docker', 'b'.repeat(12))).toEqual([b.container_uuid]);
    await expectCode('api/bad-filter', cluster.list('containers', { filters: [['cwd', 'in docker', 'x']] }));
  });
});
