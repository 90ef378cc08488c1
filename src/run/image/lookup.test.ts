import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import { createRunKit, type Files, imageHash, type RunKit } from '../../../test/fakes/run-kit.ts';
import type { CollectionRecord } from '../../api/records.ts';
import { toDigest } from '../../core/ids.ts';
import { type ImageQuery, lookUpImage } from './lookup.ts';

let kit: RunKit;
let warnings: string[];
beforeEach(async () => {
  kit = await createRunKit();
  warnings = [];
});
afterEach(() => kit.close());

const lookUp = (query: ImageQuery) => lookUpImage(kit.api, query, (message) => warnings.push(message));
const repoTag = 'tool:1';
const named = { repoTag };

const link = (linkClass: string, name: string, head: CollectionRecord, timestamp?: string) =>
  kit.api.create('links', {
    link_class: linkClass,
    name,
    head_uuid: head.uuid,
    properties: timestamp === undefined ? {} : { image_timestamp: timestamp },
  });

/** As clients before the properties stored it. */
const olderImage = (digit: string, prefix = '') => kit.collection({ [`${prefix}${digit.repeat(64)}.tar`]: digit });

/** Other files under the properties of image `b`. */
async function modifiedCopy(files: Files): Promise<CollectionRecord> {
  const { uuid, properties } = await kit.image(repoTag, 'b');
  await kit.api.remove('collections', uuid);
  return kit.collection(files, { properties });
}

describe('an image by its name', () => {
  it('is undefined where Keep has none', async () => {
    await kit.image('other:1', 'a');
    expect(await lookUp(named)).toBeUndefined();
  });

  it('is the newest by the time of the image, not of its record', async () => {
    const newest = await kit.image(repoTag, 'b', { 'docker-image-timestamp': '2026-03-01T00:00:00Z' });
    await kit.image(repoTag, 'a', { 'docker-image-timestamp': '2026-02-28T23:59:59Z' });
    await kit.image(repoTag, 'c', { 'docker-image-timestamp': '2025-12-31T00:00:00+02:00' });
    expect(await lookUp(named)).toEqual({
      portableDataHash: newest.portable_data_hash,
      imageHash: imageHash('b'),
      collectionUuid: newest.uuid,
    });
  });

  it('tells the digest that the registry had', async () => {
    await kit.image(repoTag, 'a', { 'docker-image-digest': imageHash('d') });
    expect(await lookUp(named)).toMatchObject({ registryDigest: imageHash('d') });
  });

  it.each([
    ['another file beside it', { [`${imageHash('b')}.tar`]: 'b', 'notes.txt': 'n' }, 'holds 2 files'],
    ['another image under its name', { [`${imageHash('c')}.tar`]: 'c' }, `holds ${imageHash('c')}.tar`],
    ['no archive', { 'image.tar': 'b' }, 'holds image.tar'],
    ['nothing at all', {}, 'holds 0 files'],
  ])('passes over a modified copy with %s, with a warning that names it', async (_what, files, holds) => {
    const good = await kit.image(repoTag, 'a', { 'docker-image-timestamp': '2025-01-01T00:00:00Z' });
    const modified = await modifiedCopy(files);
    await link('docker_image_repo+tag', repoTag, modified);
    expect(await lookUp(named)).toMatchObject({ collectionUuid: good.uuid });
    expect(warnings).toEqual([
      `collection ${modified.uuid} says that it is image ${imageHash('b')} but ${holds}: passed over (was a copy of an image modified?)`,
    ]);
  });

  it('warns once of a copy that properties and links name', async () => {
    const modified = await modifiedCopy({ 'image.tar': 'b' });
    await link('docker_image_repo+tag', repoTag, modified);
    expect(await lookUp(named)).toBeUndefined();
    expect(warnings).toHaveLength(1);
  });

  it('comes from the older links where no properties name it, the newest image first', async () => {
    const newest = await olderImage('b');
    await link('docker_image_repo+tag', repoTag, newest, '2024-05-01T00:00:00Z');
    await link('docker_image_repo+tag', repoTag, await olderImage('a'), '2023-05-01T00:00:00Z');
    expect(await lookUp(named)).toEqual({
      portableDataHash: newest.portable_data_hash,
      imageHash: imageHash('b'),
      collectionUuid: newest.uuid,
    });
    expect(warnings).toEqual([]);
  });

  it('is not what a link to a deleted collection names', async () => {
    const gone = await olderImage('b');
    await link('docker_image_repo+tag', repoTag, gone);
    await kit.api.remove('collections', gone.uuid);
    expect(await lookUp(named)).toBeUndefined();
  });
});

describe('an image by its hash', () => {
  it.each(['docker-image-hash', 'docker-image-digest'])('is found by the property %s', async (property) => {
    const image = await kit.image(repoTag, 'a', { 'docker-image-digest': imageHash('d') });
    const digest = toDigest(imageHash(property === 'docker-image-hash' ? 'a' : 'd'));
    expect(await lookUp({ digest })).toMatchObject({ collectionUuid: image.uuid, imageHash: imageHash('a') });
  });

  it.each(['', 'sha256:'])('is found by an older link with the name "%s…"', async (prefix) => {
    const image = await olderImage('a', prefix);
    await link('docker_image_hash', `${prefix}${'a'.repeat(64)}`, image);
    expect(await lookUp({ digest: toDigest(imageHash('a')) })).toMatchObject({ collectionUuid: image.uuid });
    expect(await lookUp({ digest: toDigest(imageHash('b')) })).toBeUndefined();
  });

  it('is found by its first digits', async () => {
    const image = await kit.image(repoTag, 'a');
    await kit.image('again:1', 'a');
    await kit.image('other:1', 'b');
    expect(await lookUp({ shortHash: 'aaaaaaa' })).toMatchObject({ imageHash: image.properties['docker-image-hash'] });
    expect(await lookUp({ shortHash: 'ccccccc' })).toBeUndefined();
  });

  it('fails with a list where the first digits fit several', async () => {
    const other = `${'a'.repeat(63)}b`;
    await kit.image(repoTag, 'a');
    await kit.collection(
      { [`sha256:${other}.tar`]: 'b' },
      { properties: { 'docker-image-repo-tag': 'other:1', 'docker-image-hash': `sha256:${other}` } },
    );
    await expect(lookUp({ shortHash: 'aaaaaaa' })).rejects.toMatchObject({
      code: 'run/image-ambiguous',
      message: `image hash aaaaaaa fits 2 images: ${imageHash('a')}, sha256:${other}`,
      hint: 'give more digits of the hash',
    });
  });

  it('fails so for older links too', async () => {
    const other = `${'a'.repeat(63)}b`;
    await link('docker_image_hash', 'a'.repeat(64), await olderImage('a'));
    await link('docker_image_hash', other, await kit.collection({ [`${other}.tar`]: 'b' }));
    await expect(lookUp({ shortHash: 'aaaaaaa' })).rejects.toEqual(withCode('run/image-ambiguous', /fits 2 images/));
  });
});
