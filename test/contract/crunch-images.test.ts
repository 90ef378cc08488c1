import { afterEach, beforeEach, expect, test } from 'vitest';
import { createImageOpener } from '../../src/crunch/images/opener.ts';
import { planArchive, writeArchive } from '../../src/image/archive/write.ts';
import { createCollectionWriter } from '../../src/keep/collection-writer.ts';
import { smallImage } from '../fakes/registry-images.ts';
import { createSetting, type Setting } from './crunch-setting.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await createSetting();
});
afterEach(() => setting.close());

const hash = 'ab'.repeat(32);

async function openFiles(files: Readonly<Record<string, string>>): Promise<unknown> {
  const { portableDataHash } = await setting.store(files);
  return createImageOpener(setting.deps.collections, setting.blocks).open(portableDataHash);
}

const refused: [string, Record<string, string>, RegExp][] = [
  ['no file', {}, /is no image: expected one file "sha256:<64 hex digits>\.tar", got no file/],
  ['two files', { [`sha256:${hash}.tar`]: 'x', b: 'y' }, /got 2 file\(s\): "b", "sha256:/],
  ['another name', { 'image.tar': 'x' }, /got 1 file\(s\): "image\.tar"/],
  ['a file below a directory', { [`d/${hash}.tar`]: 'x' }, /got 1 file\(s\): "d\//],
];
test.each(refused)('a collection with %s is no image', async (_name, files, message) => {
  await expect(openFiles(files)).rejects.toMatchObject({
    code: 'crunch/bad-image',
    message: expect.stringMatching(message),
  });
});

test('an archive that is another image than its name says is refused with both', async () => {
  const image = smallImage('one');
  const writer = createCollectionWriter(setting.blocks);
  await writer.addStream(`sha256:${hash}.tar`, writeArchive(await planArchive(image, [])));
  const collection = writer.finish();
  await setting.api.create('collections', { manifest_text: collection.manifestText });
  const opening = createImageOpener(setting.deps.collections, setting.blocks).open(collection.portableDataHash);
  await expect(opening).rejects.toMatchObject({
    code: 'crunch/bad-image',
    message: `image ${collection.portableDataHash}: expected sha256:${hash} as its name says, got ${image.imageHash}`,
  });
});

test('the older name without "sha256:" is an image too', async () => {
  const image = smallImage('one');
  const writer = createCollectionWriter(setting.blocks);
  const name = `${image.imageHash.slice('sha256:'.length)}.tar`;
  await writer.addStream(name, writeArchive(await planArchive(image, [])));
  const collection = writer.finish();
  await setting.api.create('collections', { manifest_text: collection.manifestText });
  const opened = await createImageOpener(setting.deps.collections, setting.blocks).open(collection.portableDataHash);
  expect(opened.image.imageHash).toBe(image.imageHash);
});
