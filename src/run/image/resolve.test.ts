import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import { createRunKit, imageEnding, imageHash, type RunKit } from '../../../test/fakes/run-kit.ts';
import { toDigest } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Requirement } from '../../cwl/model.ts';
import type { ImageServices, PullPolicy } from './port.ts';
import { createImageResolver } from './resolve.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const position = { file: 'file:///home/ada/tool.cwl', line: 1, column: 1 };
const docker = (fields: JsonObject): Requirement => ({ class: 'DockerRequirement', fields, position });
const resolver = (more: Partial<ImageServices> = {}) => {
  const images = createImageResolver(kit.imageServices(more));
  return (fields: JsonObject, signal?: AbortSignal) => images.resolve(docker(fields), undefined, signal);
};
const pulled = { dockerPull: 'tool:1' };
const servePulls = (digit = 'b') =>
  kit.startEngine(({ command }) => imageEnding(command[2] ?? '', digit, { 'docker-image-digest': imageHash('e') }));

describe('dockerPull', () => {
  it('takes the image from Keep and asks for nothing', async () => {
    const image = await kit.image('tool:1', 'a');
    expect(await resolver()(pulled)).toEqual({ portableDataHash: image.portable_data_hash, reference: 'tool:1' });
    expect(await kit.requests()).toEqual([]);
    expect(kit.events).toEqual([
      { type: 'image', reference: 'tool:1', status: 'looking' },
      { type: 'image', reference: 'tool:1', status: 'found', detail: imageHash('a') },
    ]);
  });

  it('pulls what Keep lacks, by one builtin request of the run', async () => {
    servePulls();
    const image = await resolver()(pulled);
    const [request, ...more] = await kit.requests();
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      container_image: 'arvados/builtin',
      command: ['docker', 'pull', 'tool:1'],
      mounts: {},
      output_path: '/',
      runtime_constraints: { API: true },
      use_existing: true,
      properties: { 'hm:run': 'the run' },
    });
    const record = await kit.api.get('containers', request?.container_uuid as never);
    expect(image).toEqual({ portableDataHash: record.output, reference: 'tool:1', request: request?.uuid });
    expect(kit.events.map((event) => event.type === 'image' && event.status)).toEqual(['looking', 'pulling', 'ready']);
  });

  it('is found in Keep by the next run', async () => {
    servePulls();
    const first = await resolver()(pulled);
    expect(await resolver()(pulled)).toEqual({ portableDataHash: first?.portableDataHash, reference: 'tool:1' });
    expect(await kit.requests()).toHaveLength(1);
  });

  it('pulls once for equal references that are asked for at once', async () => {
    servePulls();
    const resolve = resolver();
    const images = await Promise.all([
      resolve(pulled),
      resolve(pulled),
      resolve({ dockerPull: 'other:1' }),
      resolve(pulled),
    ]);
    expect((await kit.requests()).map(({ name }) => name).sort()).toEqual([
      'docker pull other:1',
      'docker pull tool:1',
    ]);
    expect(images[1]).toEqual(images[0]);
    expect(images[3]).toEqual(images[0]);
  });

  it('takes a portable data hash as it is', async () => {
    const { portable_data_hash } = await kit.collection({ 'a.tar': 'a' });
    expect(await resolver()({ dockerPull: portable_data_hash })).toEqual({
      portableDataHash: portable_data_hash,
      reference: portable_data_hash,
    });
  });

  it('finds a reference by digest by the digest that was pulled', async () => {
    const image = await kit.image('tool:1', 'a', { 'docker-image-digest': imageHash('d') });
    const found = await resolver({ pull: 'newer' })({ dockerPull: `tool@${imageHash('d')}` });
    expect(found?.portableDataHash).toBe(image.portable_data_hash);
  });

  it('passes on what is wrong with a reference', async () => {
    await expect(resolver()({ dockerPull: 'Tool:1' })).rejects.toEqual(withCode('image/bad-reference'));
  });
});

describe('--pull', () => {
  const inKeep = imageHash('d');
  const moved = imageHash('e');
  it.each<[PullPolicy, boolean, string, number]>([
    ['missing', true, moved, 0],
    ['missing', false, moved, 1],
    ['newer', true, inKeep, 0],
    ['newer', true, moved, 1],
    ['newer', false, moved, 1],
    ['always', true, inKeep, 1],
    ['always', false, moved, 1],
    ['never', true, moved, 0],
  ])('%s, in Keep: %s, the registry has %s: %i pulls', async (pull, has, registry, pulls) => {
    if (has) await kit.image('tool:1', 'a', { 'docker-image-digest': inKeep });
    servePulls();
    const image = await resolver({ pull, resolveDigest: async () => toDigest(registry) })(pulled);
    const requests = await kit.requests();
    expect(requests).toHaveLength(pulls);
    expect(image?.request).toBe(requests[0]?.uuid);
    // An earlier pull of the same name is no answer where the image in Keep was found wanting.
    if (requests[0]) expect(requests[0].use_existing).toBe(!has);
  });

  it('newer pulls nothing where the tag moved back to an older image that Keep has', async () => {
    const times = (time: string) => ({ 'docker-image-timestamp': `2026-01-0${time}T00:00:00Z` });
    const older = await kit.image('tool:1', 'a', { 'docker-image-digest': inKeep, ...times('1') });
    await kit.image('tool:1', 'b', { 'docker-image-digest': moved, ...times('2') });
    const image = await resolver({ pull: 'newer', resolveDigest: async () => toDigest(inKeep) })(pulled);
    expect(image?.portableDataHash).toBe(older.portable_data_hash);
    expect(await kit.requests()).toEqual([]);
  });

  it('never fails for what Keep lacks', async () => {
    await expect(resolver({ pull: 'never' })(pulled)).rejects.toMatchObject({
      code: 'run/image-not-found',
      message: 'image tool:1 is not in Keep and --pull=never forbids asking a registry',
      hint: expect.stringContaining('run without --pull=never'),
    });
  });

  it('newer uses what Keep has when the registry does not answer, and says so', async () => {
    const image = await kit.image('tool:1', 'a');
    expect(await resolver({ pull: 'newer' })(pulled)).toMatchObject({ portableDataHash: image.portable_data_hash });
    expect(kit.warnings()).toEqual([
      'cannot ask the registry whether tool:1 moved, using the one in Keep: no registry here',
    ]);
  });
});

describe('a pull that fails', () => {
  it('gives the end of its stderr and where the rest is', async () => {
    kit.startEngine(() => ({ exitCode: 1, stderr: '2026-01-01T00:00:00.000000001Z no such tag: tool:1\n' }));
    const error: unknown = await resolver()(pulled).catch((reason: unknown) => reason);
    const [request] = await kit.requests();
    expect(error).toMatchObject({
      code: 'run/image-request-failed',
      message: `pull tool:1 failed: exit code 1\n  | no such tag: tool:1\n  whole log: cwl-runner logs ${request?.uuid}`,
      where: { container: request?.container_uuid },
    });
    expect(kit.events.at(-1)).toMatchObject({ reference: 'tool:1', status: 'failed', request: request?.uuid });
  });

  it('says what the infrastructure said', async () => {
    kit.startEngine(() => ({ error: 'the disk is full' }));
    await expect(resolver()(pulled)).rejects.toEqual(
      withCode('run/image-request-failed', /^pull tool:1 failed: the disk is full\n {2}whole log: /),
    );
  });

  it('is cancelled with its run', async () => {
    const stop = new AbortController();
    kit.startEngine(async (_container, signal) => {
      stop.abort(new Error('interrupted'));
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { error: 'cancelled' };
    });
    await expect(resolver()(pulled, stop.signal)).rejects.toEqual(
      withCode('run/cancelled', /^pull tool:1 was cancelled$/),
    );
    expect((await kit.requests())[0]).toMatchObject({ priority: 0 });
  });
});

describe('dockerImageId alone', () => {
  it.each(['tool:1', imageHash('a'), 'a'.repeat(64), 'aaaaaaa'])('is looked up as %s', async (dockerImageId) => {
    const image = await kit.image('tool:1', 'a');
    expect(await resolver()({ dockerImageId })).toEqual({
      portableDataHash: image.portable_data_hash,
      reference: dockerImageId,
    });
  });

  it('is a name where no hash begins so', async () => {
    const image = await kit.image('deadbeef:latest', 'a');
    expect(await resolver()({ dockerImageId: 'deadbeef' })).toMatchObject({
      portableDataHash: image.portable_data_hash,
    });
  });

  it('fails where Keep has none, and pulls nothing', async () => {
    await expect(resolver({ pull: 'always' })({ dockerImageId: 'tool:1' })).rejects.toMatchObject({
      code: 'run/image-not-found',
      message: 'no image in Keep has the name or hash tool:1',
      hint: expect.stringContaining('add dockerPull, dockerFile or dockerLoad'),
    });
    expect(await kit.requests()).toEqual([]);
  });

  it('fails where it fits several', async () => {
    await kit.image('tool:1', 'a');
    const other = `sha256:${'a'.repeat(63)}b`;
    await kit.collection({ [`${other}.tar`]: 'b' }, { properties: { 'docker-image-hash': other } });
    await expect(resolver()({ dockerImageId: 'aaaaaaaa' })).rejects.toEqual(withCode('run/image-ambiguous'));
  });
});

describe('dockerCollectionPDH', () => {
  it('refuses what is no portable data hash', async () => {
    await expect(resolver()({ dockerCollectionPDH: 'tool:1' })).rejects.toEqual(
      withCode('run/bad-requirement', /^expected a portable data hash as dockerCollectionPDH, got "tool:1"$/),
    );
  });
});

it('has no image for a step that asks for none', async () => {
  expect(await createImageResolver(kit.imageServices()).resolve(undefined, undefined)).toBeUndefined();
});
