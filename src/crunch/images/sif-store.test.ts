import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSetting, imageHash, type Setting } from '../../../test/contract/crunch-setting.ts';
import { toDigest } from '../../core/ids.ts';
import type { SifStore } from '../../executor/apptainer/sif-store.ts';
import { parseManifest } from '../../keep/manifest.ts';
import { createKeepSifStore, sifProperty } from './sif-store.ts';

const otherHash = toDigest(`sha256:${'cd'.repeat(32)}`);

let setting: Setting;
let sifs: SifStore;
let folder: string;
beforeEach(async () => {
  setting = await createSetting();
  sifs = createKeepSifStore({ ...setting.deps });
  folder = join(setting.directory, 'sifs');
  await mkdir(folder);
});
afterEach(() => setting.close());

async function saveSif(text: string): Promise<string> {
  const path = join(folder, 'made.sif');
  await writeFile(path, text);
  await sifs.save(imageHash, path);
  return path;
}

const listSaved = async () =>
  (
    await setting.api.list('collections', {
      filters: [[`properties.${sifProperty}`, '=', imageHash]],
      select: ['properties', 'manifest_text'],
    })
  ).items;

describe('SIFs in Keep', () => {
  it('are found by the hash of their image, and by no other', async () => {
    await saveSif('the image');
    const found = join(folder, 'found.sif');
    expect(await sifs.find(otherHash, found)).toBe(false);
    expect(existsSync(found)).toBe(false);
    expect(await sifs.find(imageHash, found)).toBe(true);
    expect(await readFile(found, 'utf8')).toBe('the image');
  });

  it('are collections of one file that say what they are of, and are no images', async () => {
    await saveSif('the image');
    const [record, ...others] = await listSaved();
    expect(others).toEqual([]);
    expect(record?.properties).toEqual({ [sifProperty]: imageHash });
    expect([...parseManifest(record?.manifest_text ?? '').files.keys()]).toEqual([`${imageHash}.sif`]);
  });

  it('stay where they were, with their bytes on the disk once', async () => {
    const path = await saveSif('x'.repeat(1_000_000));
    const found = join(folder, 'found.sif');
    await sifs.find(imageHash, found);
    expect(statSync(found).ino).toBe(statSync(path).ino);
  });

  it('are passed over when their content is another', async () => {
    const { manifestText } = await setting.store({ 'another.sif': 'not it' });
    await setting.api.create('collections', { manifest_text: manifestText, properties: { [sifProperty]: imageHash } });
    expect(await sifs.find(imageHash, join(folder, 'found.sif'))).toBe(false);
  });

  it('are made again when Keep has lost their bytes, with a warning', async () => {
    const lost = `. ${'0'.repeat(32)}+5 0:5:${imageHash.replace(':', '\\072')}.sif\n`;
    await setting.api.create('collections', { manifest_text: lost, properties: { [sifProperty]: imageHash } });
    expect(await sifs.find(imageHash, join(folder, 'found.sif'))).toBe(false);
    expect(existsSync(join(folder, 'found.sif'))).toBe(false);
    expect(setting.complaints).toEqual([expect.stringContaining(`cannot read ${imageHash}.sif from Keep`)]);
  });

  it('do no harm when they cannot be kept', async () => {
    await sifs.save(imageHash, join(folder, 'none.sif'));
    expect(setting.complaints).toEqual([expect.stringContaining(`cannot keep the SIF of image ${imageHash}`)]);
    expect(await listSaved()).toEqual([]);
  });
});
