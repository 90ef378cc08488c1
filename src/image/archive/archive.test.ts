import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { validateImage } from '../../../test/contract/validate-image.ts';
import { type FakeMember, imageOf, layerOf, smallImage, tarOf } from '../../../test/fakes/registry-images.ts';
import { mediaTypes } from '../media-types.ts';
import type { Image } from '../model.ts';
import { digestOf } from '../streams.ts';
import { fileAccess } from './folder.ts';
import { openArchive, openLayout } from './open.ts';
import { planArchive, writeArchive } from './write.ts';

const scratch = mkdtempSync(join(tmpdir(), 'archive-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const access = (bytes: Uint8Array) => ({
  sizeBytes: bytes.length,
  openRange: (start: number, end: number) => Readable.from([bytes.subarray(start, end)], { objectMode: false }),
});
const archiveOf = async (image: Image, tags: readonly string[] = []) =>
  buffer(writeArchive(await planArchive(image, tags)));

describe('an archive of ours', () => {
  const layers = [layerOf(tarOf([{ path: 'a', text: 'one' }])), layerOf(tarOf([{ path: 'b', text: 'two' }]), 'none')];

  it('comes back as the same image, layers byte for byte', async () => {
    const image = imageOf(layers);
    const found = await openArchive(access(await archiveOf(image, ['debian:stable-slim'])));
    await validateImage(found);
    expect(found.imageHash).toBe(image.imageHash);
    expect(found.repoTags).toEqual(['debian:stable-slim']);
    expect(found.layers.map(({ descriptor }) => descriptor)).toEqual(layers.map(({ descriptor }) => descriptor));
  });

  it('is planned in parts that add up', async () => {
    const plan = await planArchive(imageOf(layers), ['x:y']);
    expect(plan.parts.map(({ kind }) => kind)).toEqual(['bytes', 'layer', 'bytes', 'layer', 'bytes']);
    expect((await buffer(writeArchive(plan))).length).toBe(plan.sizeBytes);
    expect(plan.fileName).toMatch(/^sha256:[0-9a-f]{64}\.tar$/);
  });

  it('is the same bytes every time', async () => {
    expect(await archiveOf(imageOf(layers), ['x:y'])).toEqual(await archiveOf(imageOf(layers), ['x:y']));
  });

  it('holds zstd layers unpacked', async () => {
    const image = imageOf([layerOf(tarOf([{ path: 'a', text: 'one' }]), 'zstd')]);
    const found = await openArchive(access(await archiveOf(image)));
    await validateImage(found);
    expect(found.layers[0]?.descriptor).toMatchObject({
      mediaType: mediaTypes.ociLayer,
      digest: image.layers[0]?.diffId,
    });
  });

  it('holds a repeated layer once', async () => {
    const [one = expect.fail('no layer')] = layers;
    const plan = await planArchive(imageOf([one, one]), []);
    expect(plan.parts.filter(({ kind }) => kind === 'layer')).toHaveLength(1);
    await validateImage(await openArchive(access(await buffer(writeArchive(plan)))));
  });

  it('starts with manifest.json and the config', async () => {
    const image = imageOf(layers);
    const names = execFileSync('tar', ['-tf', '-'], { input: await archiveOf(image) })
      .toString()
      .split('\n');
    expect(names.slice(0, 2)).toEqual(['manifest.json', `${image.imageHash.slice(7)}.json`]);
  });

  it('is found damaged when a layer byte flips', async () => {
    const image = imageOf(layers);
    const bytes = await archiveOf(image);
    const at = bytes.indexOf(layers[0]?.bytes ?? '');
    bytes[at + 20] = (bytes[at + 20] ?? 0) ^ 1;
    const found = await openArchive(access(bytes));
    await expect(validateImage(found)).rejects.toMatchObject({ code: 'image/blob-damaged' });
  });
});

describe('archives of others', () => {
  const tar = tarOf([{ path: 'a', text: 'one' }]);
  const image = imageOf([layerOf(tar, 'none'), layerOf(tar, 'none')]);
  const config = image.imageHash.slice(7);
  const json = (value: unknown) => JSON.stringify(value);

  it.each<[string, FakeMember[]]>([
    [
      'classic docker, a repeated layer as a symlink',
      [
        { path: 'aaa/' },
        { path: 'aaa/VERSION', text: '1.0' },
        { path: 'aaa/layer.tar', text: tar },
        { path: 'bbb/layer.tar', type: 'symlink', linkPath: '../aaa/layer.tar' },
        { path: `${config}.json`, text: image.configBytes },
        {
          path: 'manifest.json',
          text: json([{ Config: `${config}.json`, RepoTags: ['app:1'], Layers: ['aaa/layer.tar', 'bbb/layer.tar'] }]),
        },
      ],
    ],
    [
      'containerd-style docker: an OCI layout with manifest.json',
      [
        { path: `blobs/sha256/${config}`, text: image.configBytes },
        { path: `blobs/sha256/${digestOf(tar).slice(7)}`, text: tar },
        { path: 'index.json', text: json({ schemaVersion: 2, manifests: [] }) },
        { path: 'oci-layout', text: json({ imageLayoutVersion: '1.0.0' }) },
        {
          path: 'manifest.json',
          text: json([
            {
              Config: `blobs/sha256/${config}`,
              RepoTags: ['app:1'],
              Layers: Array(2).fill(`blobs/sha256/${digestOf(tar).slice(7)}`),
              LayerSources: {
                [digestOf(tar)]: { mediaType: mediaTypes.ociLayer, size: tar.length, digest: digestOf(tar) },
              },
            },
          ]),
        },
      ],
    ],
    [
      'podman: layers by diff id, long names',
      [
        { path: `${digestOf(tar).slice(7)}.tar`, text: tar },
        { path: `${config}.json`, text: image.configBytes },
        {
          path: 'manifest.json',
          text: json([
            {
              Config: `${config}.json`,
              RepoTags: ['docker.io/library/app:1'],
              Layers: Array(2).fill(`${digestOf(tar).slice(7)}.tar`),
            },
          ]),
        },
      ],
    ],
  ])('%s', async (_who, members) => {
    const found = await openArchive(access(tarOf(members)), { select: 'app:1' });
    await validateImage(found);
    expect(found.imageHash).toBe(image.imageHash);
  });

  it('with packed layers of unknown digest hashes them', async () => {
    const packed = layerOf(tar, 'gzip');
    const one = imageOf([packed]);
    const members = [
      { path: 'l.tar', text: packed.bytes },
      { path: 'c.json', text: one.configBytes },
      { path: 'manifest.json', text: json([{ Config: 'c.json', Layers: ['l.tar'] }]) },
    ];
    const found = await openArchive(access(tarOf(members)));
    await validateImage(found);
    expect(found.layers[0]?.descriptor).toEqual(packed.descriptor);
  });

  it('with several images are asked by tag or hash, or list what they hold', async () => {
    const other = smallImage('other');
    const members = [
      { path: 'l.tar', text: tar },
      { path: 'o.tar', text: (other.layers[0] as ReturnType<typeof layerOf>).bytes },
      { path: 'c.json', text: image.configBytes },
      { path: 'd.json', text: other.configBytes },
      {
        path: 'manifest.json',
        text: json([
          { Config: 'c.json', RepoTags: ['app:1'], Layers: ['l.tar', 'l.tar'] },
          { Config: 'd.json', RepoTags: ['localhost/other:2'], Layers: ['o.tar'] },
        ]),
      },
    ];
    const archive = access(tarOf(members));
    expect((await openArchive(archive, { select: 'other:2' })).imageHash).toBe(other.imageHash);
    expect((await openArchive(archive, { select: image.imageHash })).imageHash).toBe(image.imageHash);
    for (const select of [undefined, 'app:9']) {
      await expect(openArchive(archive, { name: 'x.tar', ...(select && { select }) })).rejects.toMatchObject({
        code: 'image/no-such-tag',
        message: expect.stringMatching(/^image archive x.tar: .*it holds app:1; localhost\/other:2$/),
      });
    }
  });

  it.each<[string, FakeMember[], string, RegExp]>([
    ['no manifest', [{ path: 'x', text: '' }], 'image/bad-archive', /neither manifest.json nor index.json/],
    ['no JSON', [{ path: 'manifest.json', text: '{' }], 'image/bad-archive', /is no JSON/],
    ['no item', [{ path: 'manifest.json', text: '[]' }], 'image/bad-archive', /holds no image/],
    [
      'a missing config',
      [{ path: 'manifest.json', text: '[{"Config":"c","Layers":[]}]' }],
      'image/bad-archive',
      /"c" is missing/,
    ],
    [
      'a config that is none',
      [
        { path: 'manifest.json', text: '[{"Config":"c","Layers":[]}]' },
        { path: 'c', text: '{}' },
      ],
      'image/bad-manifest',
      /rootfs.diff_ids/,
    ],
    [
      'too few layers',
      [
        { path: 'manifest.json', text: '[{"Config":"c","Layers":[]}]' },
        { path: 'c', text: image.configBytes },
      ],
      'image/bad-manifest',
      /names 2 layers/,
    ],
    [
      'a link in a circle',
      [{ path: 'manifest.json', type: 'symlink', linkPath: 'manifest.json' }],
      'image/bad-archive',
      /neither/,
    ],
  ])('with %s are refused', async (_what, members, code, message) => {
    await expect(openArchive(access(tarOf(members)))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('an OCI layout folder', () => {
  function layoutOf(name: string, images: readonly { image: Image; ref: string }[]): string {
    const root = join(scratch, name);
    const put = (path: string, content: string | Uint8Array) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    };
    const blob = (bytes: Uint8Array) => {
      const hex = createHash('sha256').update(bytes).digest('hex');
      put(`blobs/sha256/${hex}`, bytes);
      return { digest: `sha256:${hex}`, size: bytes.length };
    };
    const manifests = images.map(({ image, ref }) => {
      const layers = image.layers.map((layer) => {
        blob((layer as ReturnType<typeof layerOf>).bytes);
        return layer.descriptor;
      });
      const config = { ...blob(image.configBytes), mediaType: mediaTypes.ociConfig };
      const manifest = blob(
        Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers })),
      );
      return {
        ...manifest,
        mediaType: mediaTypes.ociManifest,
        annotations: { 'org.opencontainers.image.ref.name': ref },
      };
    });
    put('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
    put('index.json', JSON.stringify({ schemaVersion: 2, manifests }));
    return root;
  }
  const image = smallImage('one', 'two');

  it('is read, from the disk and as an archive', async () => {
    const root = layoutOf('one', [{ image, ref: 'v1' }]);
    const found = await openLayout(root);
    await validateImage(found);
    expect(found.imageHash).toBe(image.imageHash);
    execFileSync('tar', ['-C', root, '-cf', join(scratch, 'one.tar'), '.']);
    await validateImage(await openArchive(await fileAccess(join(scratch, 'one.tar'))));
  });

  it('with several images wants a name', async () => {
    const root = layoutOf('two', [
      { image, ref: 'v1' },
      { image: smallImage('other'), ref: 'v2' },
    ]);
    expect((await openLayout(root, { select: 'app:v1' })).imageHash).toBe(image.imageHash);
    await expect(openLayout(root)).rejects.toMatchObject({
      code: 'image/no-such-tag',
      message: expect.stringContaining('v1; v2'),
    });
  });
});
