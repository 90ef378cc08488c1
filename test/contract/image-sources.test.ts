import { execFile, execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileAccess } from '../../src/image/archive/folder.ts';
import { openArchive, openLayout } from '../../src/image/archive/open.ts';
import { planArchive, writeArchive } from '../../src/image/archive/write.ts';
import { createDirectory } from '../../src/image/config/directory.ts';
import { emptyRegistriesConf } from '../../src/image/config/registries-conf.ts';
import { mergedTree } from '../../src/image/layers/merged-tree.ts';
import type { Image } from '../../src/image/model.ts';
import { parseReference } from '../../src/image/reference.ts';
import { createRegistryClient } from '../../src/image/registry/client.ts';
import { createContentStore } from '../../src/image/store/content-store.ts';
import { openSystemRegistryClient } from '../../src/image/system-client.ts';
import { startRegistry } from '../fakes/registry.ts';
import { imageOf, layerOf, tarOf } from '../fakes/registry-images.ts';
import { validateImage } from './validate-image.ts';

/** Every source of images must give this image back. */
const original = imageOf([
  layerOf(tarOf([{ path: 'etc/' }, { path: 'etc/os-release', text: 'ID=fake\n' }, { path: 'old', text: 'x' }])),
  layerOf(
    tarOf([
      { path: '.wh.old', text: '' },
      { path: 'bin/sh', type: 'symlink', linkPath: '/usr/bin/sh' },
    ]),
  ),
  layerOf(tarOf([{ path: 'big', text: Buffer.alloc(300_000, 'abcdefg') }]), 'none'),
]);

const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), 'image-sources-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function hasSkopeo(): boolean {
  try {
    execFileSync('skopeo', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function writeOurs(): Promise<string> {
  const path = join(scratch, 'ours.tar');
  await pipeline(writeArchive(await planArchive(original, ['app:1'])), createWriteStream(path));
  return path;
}

async function pullFromFake(): Promise<Image> {
  const registry = await startRegistry({ auth: 'token' });
  afterAll(() => registry.close());
  registry.add('app', '1', original);
  const client = await openSystemRegistryClient({ env: {}, homeDir: scratch });
  return client.openImage(parseReference(`${registry.host}/app:1`));
}

function skopeoCopy(...args: string[]): void {
  execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 30_000,
  });
}

const sources: [name: string, open: () => Promise<Image>, isThere: boolean][] = [
  ['a registry', pullFromFake, true],
  [
    'a registry through a content store',
    async () => createContentStore({ cacheDir: join(scratch, 'cache') }).lazy(await pullFromFake()),
    true,
  ],
  ['an archive of ours', async () => openArchive(await fileAccess(await writeOurs())), true],
  [
    'an archive of skopeo',
    async () => {
      skopeoCopy(`docker-archive:${await writeOurs()}`, `docker-archive:${join(scratch, 'skopeo.tar')}:app:1`);
      return openArchive(await fileAccess(join(scratch, 'skopeo.tar')), { select: 'app:1' });
    },
    hasSkopeo(),
  ],
  [
    'an OCI layout of skopeo',
    async () => {
      skopeoCopy(`docker-archive:${await writeOurs()}`, `oci:${join(scratch, 'layout')}:1`);
      return openLayout(join(scratch, 'layout'));
    },
    hasSkopeo(),
  ],
  [
    'an OCI archive of skopeo',
    async () => {
      skopeoCopy(`docker-archive:${await writeOurs()}`, `oci-archive:${join(scratch, 'oci.tar')}:1`);
      return openArchive(await fileAccess(join(scratch, 'oci.tar')));
    },
    hasSkopeo(),
  ],
];

describe.each(sources.filter(([, , isThere]) => isThere))('an image from %s', (_name, open) => {
  let image: Image;
  beforeAll(async () => {
    image = await open();
  });

  it('is valid', async () => {
    await validateImage(image);
  });

  it('has the content of the original', async () => {
    expect(image.layers.map(({ diffId }) => diffId)).toEqual(original.layers.map(({ diffId }) => diffId));
    const tree = await mergedTree(image.layers);
    expect([...tree.entries.keys()].sort()).toEqual(['big', 'bin/sh', 'etc', 'etc/os-release']);
  });

  it('may be read twice, and left in the middle', async () => {
    const layer = image.layers[2] ?? expect.fail('no layer');
    const first = await layer.open();
    for await (const _ of first) break;
    expect(first.destroyed).toBe(true);
    let size = 0;
    for await (const chunk of await layer.open()) size += (chunk as Buffer).length;
    expect(size).toBe(layer.descriptor.size);
  });

  it('stops at an abort', async () => {
    const layer = image.layers[2] ?? expect.fail('no layer');
    const reading = (async () => {
      for await (const _ of await layer.open(AbortSignal.abort()));
    })();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe.runIf(hasSkopeo())('skopeo', () => {
  it('agrees on the config of an archive of ours', async () => {
    const config = execFileSync('skopeo', ['inspect', '--config', '--raw', `docker-archive:${await writeOurs()}`]);
    expect(config.equals(Buffer.from(original.configBytes))).toBe(true);
  });

  it('pushes to the fake registry, from which we pull the same image', async () => {
    const registry = await startRegistry({ auth: 'basic', users: { ann: 'pw' } });
    try {
      const target = `docker://${registry.host}/pushed:1`;
      const args = ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false', '--dest-creds=ann:pw'];
      await run('skopeo', [...args, `docker-archive:${await writeOurs()}`, target], { timeout: 30_000 });
      const login = { kind: 'password', username: 'ann', password: 'pw' } as const;
      const client = createRegistryClient({
        directory: createDirectory(emptyRegistriesConf),
        credentials: { find: async () => login },
      });
      const pulled = await client.openImage(parseReference(`${registry.host}/pushed:1`));
      await validateImage(pulled);
      expect(pulled.imageHash).toBe(original.imageHash);
    } finally {
      await registry.close();
    }
  });
});
