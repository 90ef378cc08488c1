import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { imageOf, layerOf, smallImage, tarOf } from '../../../test/fakes/registry-images.ts';
import { createRunKit, type RunKit } from '../../../test/fakes/run-kit.ts';
import { cwlError } from '../../cwl/errors.ts';
import type { Requirement } from '../../cwl/model.ts';
import { planArchive, writeArchive } from '../../image/archive/write.ts';
import type { Image } from '../../image/model.ts';
import { createImageResolver } from './resolve.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const docker = (fields: Requirement['fields']): Requirement => ({
  class: 'DockerRequirement',
  fields,
  position: { file: pathToFileURL(join(kit.folder, 'tool.cwl')).href, line: 3, column: 1 },
});
const resolve = (fields: Requirement['fields'], more: Parameters<RunKit['imageServices']>[0] = {}) =>
  createImageResolver(kit.imageServices(more)).resolve(docker(fields), undefined);
const images = async () =>
  (await kit.api.list('collections', { filters: [['properties.docker-image-hash', 'exists', true]] })).items;

async function writeArchiveOf(name: string, image: Image, tags: readonly string[]): Promise<void> {
  writeFileSync(join(kit.folder, name), await buffer(writeArchive(await planArchive(image, tags))));
}

describe('dockerLoad', () => {
  it('puts the image of an archive beside the document into Keep, once', async () => {
    const image = smallImage('one');
    await writeArchiveOf('app image.tar', image, ['app:1']);
    const first = await resolve({ dockerLoad: 'app image.tar', dockerImageId: 'app:1' });
    expect(await resolve({ dockerLoad: 'app image.tar' })).toMatchObject({ portableDataHash: first?.portableDataHash });
    const [record, ...others] = await images();
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      portable_data_hash: first?.portableDataHash,
      properties: { 'docker-image-hash': image.imageHash, 'docker-image-repo-tag': 'app:1' },
    });
    expect(await kit.requests()).toEqual([]);
  });

  it('is found by its name afterwards', async () => {
    await writeArchiveOf('app.tar', smallImage('one'), []);
    const loaded = await resolve({ dockerLoad: 'app.tar', dockerImageId: 'app:1' });
    expect(await resolve({ dockerImageId: 'app:1' })).toMatchObject({ portableDataHash: loaded?.portableDataHash });
  });

  it('names the field and the file that it cannot read', async () => {
    await expect(resolve({ dockerLoad: 'none.tar' })).rejects.toMatchObject({
      code: 'run/input-missing',
      message: expect.stringMatching(/^dockerLoad: cannot read \/.*none\.tar: ENOENT/),
    });
    await expect(resolve({ dockerLoad: 'http://example.org/a.tar' })).rejects.toMatchObject({
      code: 'run/bad-requirement',
      message: 'dockerLoad: expected a file of this machine, got http://example.org/a.tar',
    });
    writeFileSync(join(kit.folder, 'text.tar'), 'no archive');
    await expect(resolve({ dockerLoad: 'text.tar' })).rejects.toMatchObject({ code: 'run/image-unusable' });
  });
});

describe.each([
  ['dockerLoad', { dockerLoad: '../outside/app.tar' }],
  ['dockerImport', { dockerImport: '../outside/app.tar' }],
])('%s', (field, fields) => {
  it('keeps to what documents may read', async () => {
    const asked: string[] = [];
    const checkReach = async (uri: string) => {
      asked.push(uri);
      throw cwlError('cwl/fetch-refused', 'reading app.tar is not allowed', { hint: 'allow it' });
    };
    await expect(resolve(fields, { checkReach })).rejects.toMatchObject({
      code: 'run/bad-requirement',
      message: `${field}: reading app.tar is not allowed`,
      hint: 'allow it',
      where: { line: 3 },
    });
    expect(asked).toEqual([pathToFileURL(join(kit.folder, '../outside/app.tar')).href]);
  });
});

describe('dockerImport', () => {
  it('makes an image of a root file system, the same one each time', async () => {
    const tar = tarOf([{ path: 'bin/' }, { path: 'bin/tool', text: 'x' }]);
    writeFileSync(join(kit.folder, 'root.tar'), tar);
    const first = await resolve({ dockerImport: 'root.tar', dockerImageId: 'made/here:2' });
    expect(await resolve({ dockerImport: 'root.tar' })).toMatchObject({ portableDataHash: first?.portableDataHash });
    const records = await images();
    expect(records.map(({ properties }) => properties['docker-image-repo-tag'])).toEqual(['made/here:2']);
    const { layers } = imageOf([layerOf(tar, 'none')]);
    expect(records[0]?.properties['hallmark-image-layers']).toEqual([layers[0]?.diffId]);
  });

  it('is no archive of images', async () => {
    await expect(resolve({ dockerImport: 'none.tar' })).rejects.toMatchObject({
      code: 'run/input-missing',
      message: expect.stringContaining('dockerImport: cannot read'),
    });
  });
});
