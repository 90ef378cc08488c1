import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { builtinImage, type Container, type Mounts } from '../../src/api/records.ts';
import { createImageBuilder } from '../../src/crunch/builtin/builder.ts';
import { createBuiltins } from '../../src/crunch/builtin/builtins.ts';
import { createKeepLayerCache } from '../../src/crunch/images/layer-cache.ts';
import { createLayerIndex } from '../../src/crunch/images/layer-index.ts';
import { createImageOpener } from '../../src/crunch/images/opener.ts';
import { openArchive } from '../../src/image/archive/open.ts';
import { mergedTree } from '../../src/image/layers/merged-tree.ts';
import type { Image } from '../../src/image/model.ts';
import { createRegistryClient } from '../../src/image/registry/client.ts';
import { createContentStore } from '../../src/image/store/content-store.ts';
import { toRandomAccess } from '../../src/keep/random-access.ts';
import { createFakeBuildSandbox } from '../fakes/build-sandbox.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry.ts';
import { imageOf, layerOf, smallImage, tarOf } from '../fakes/registry-images.ts';
import { createSetting, type RunOptions, type Setting } from './crunch-setting.ts';
import { validateImage } from './validate-image.ts';

let setting: Setting;
let registry: FakeRegistry;
beforeEach(async () => {
  setting = await createSetting();
  registry = await startRegistry();
});
afterEach(async () => {
  await registry.close();
  await setting.close();
});

const api = { API: true, ram: 0, vcpus: 1 };

function run(work: Partial<Container>, options: RunOptions & { readonly secrets?: Mounts } = {}): Promise<Container> {
  const { blocks, collections, trees } = setting.deps;
  const client = createRegistryClient({
    directory: {
      candidates: (reference) => [reference],
      endpoints: ({ registry: host, repository }) => [{ registry: host, repository, insecure: true, isMirror: false }],
    },
    credentials: { find: async () => undefined },
    policy: { retries: 1, connectRetries: 1, sleep: async () => {} },
  });
  const layers = createLayerIndex(setting.api, blocks);
  const images = createImageOpener(collections, blocks);
  const cache = createKeepLayerCache(setting.api, blocks);
  const builder = createImageBuilder({ sandbox: createFakeBuildSandbox(), cache });
  const content = createContentStore({ cacheDir: join(setting.directory, 'pulls') });
  const builtins = createBuiltins({ registry: client, content, blocks, layers, builder, collections, trees, images });
  const secretMounts = async (): Promise<Mounts> => options.secrets ?? {};
  const record = { container_image: builtinImage, output_path: '/', mounts: {}, runtime_constraints: api, ...work };
  return setting.run(record, { ...options, deps: { ...options.deps, builtins, secretMounts } });
}

const pull = (name: string, options?: RunOptions): Promise<Container> =>
  run({ command: ['docker', 'pull', name] }, options);

const sizesIn = (folder: string): number[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => statSync(join(folder, name)).size) : [];

async function openOutput(container: Container): Promise<Image & { readonly repoTags: readonly string[] }> {
  const { files } = await setting.deps.collections.byPortableDataHash(container.output ?? ('' as never));
  const [file] = files.values();
  if (!file) throw new Error('no image file');
  return openArchive(toRandomAccess(setting.blocks, file));
}

describe('docker pull', () => {
  test('the image is one file in Keep, named and described', async () => {
    const image = smallImage('one', 'two');
    const { digest } = registry.add('team/app', 'v1', image);
    const name = `${registry.host}/team/app:v1`;
    const container = await pull(name);
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
    expect(container.output_properties).toMatchObject({
      'docker-image-repo-tag': name,
      'docker-image-hash': image.imageHash,
      'docker-image-timestamp': '2026-01-02T03:04:05Z',
      'docker-image-digest': digest,
    });
    const stored = await openOutput(container);
    await validateImage(stored);
    expect(stored).toMatchObject({ imageHash: image.imageHash, repoTags: [name] });
    const opened = await createImageOpener(setting.deps.collections, setting.blocks).open(
      container.output ?? ('' as never),
    );
    expect(opened.image.imageHash).toBe(image.imageHash);
    expect((await setting.readLog(container))['crunch-run.txt']).toMatch(/layer sha256:\S+ \(\d+ B\): stored/);
  });

  test('a layer that Keep holds is not transferred again, and its blocks are shared', async () => {
    const base = layerOf(tarOf([{ path: 'base', text: 'shared' }]));
    const top = layerOf(tarOf([{ path: 'top', text: 'new' }]));
    registry.add('team/base', '1', imageOf([base]));
    registry.add('team/app', '1', imageOf([base, top]));
    const first = await pull(`${registry.host}/team/base:1`);
    const asked = registry.seen.length;
    const second = await pull(`${registry.host}/team/app:1`);
    const layerRequests = registry.seen.slice(asked).filter(({ path }) => path.endsWith(base.descriptor.digest));
    expect(layerRequests).toEqual([]);
    await validateImage(await openOutput(second));
    const blocksOf = async (container: Container): Promise<string[]> => {
      const output = await setting.deps.collections.byPortableDataHash(container.output ?? ('' as never));
      return [...output.files.values()].flatMap((file) => file.segments.map((segment) => segment.locator));
    };
    const shared = (await blocksOf(second)).filter(Set.prototype.has.bind(new Set(await blocksOf(first))));
    expect(shared.some((locator) => locator.endsWith(`+${base.descriptor.size}`))).toBe(true);
  });

  test('older clients find it by links', async () => {
    registry.add('team/app', 'v1', smallImage('one'));
    await pull(`${registry.host}/team/app:v1`);
    const { items } = await setting.api.list('links', {});
    expect(items.map((link) => link.link_class).sort()).toEqual(['docker_image_hash', 'docker_image_repo+tag']);
  });

  test('what the registry does not have is a failure of the command', async () => {
    const container = await pull(`${registry.host}/team/none:v1`);
    expect(container).toMatchObject({ state: 'Complete', exit_code: 1, output: null });
    expect((await setting.readLog(container))['stderr.txt']).toContain('team/none');
    expect(container.runtime_status.error).toContain('team/none');
  });

  test('a registry that is down is a failure of the infrastructure', async () => {
    const { host } = registry;
    await registry.close();
    const container = await pull(`${host}/team/app:v1`);
    registry = await startRegistry();
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(container.runtime_status.error).toBeDefined();
  });

  test('cancelled while a layer stalls', async () => {
    registry.add('team/app', 'v1', smallImage('one'));
    registry.faults.stall = { times: 9 };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const container = await pull(`${registry.host}/team/app:v1`, { signal: controller.signal });
    expect(container).toMatchObject({ state: 'Cancelled', runtime_status: { error: 'the container was cancelled' } });
  });

  test('goes on where one ended that was cancelled, and leaves nothing but the image', async () => {
    const layers = ['one', 'two'].map((path) =>
      layerOf(tarOf([{ path, text: randomBytes(200_000).toString('base64') }])),
    );
    const [whole, cut] = layers.map(({ descriptor }) => descriptor);
    registry.add('team/app', 'v1', imageOf(layers));
    registry.faults.stall = { times: 9, digest: cut?.digest ?? '', afterBytes: 100_000 };
    const controller = new AbortController();
    const first = pull(`${registry.host}/team/app:v1`, { signal: controller.signal });
    const blobs = join(setting.directory, 'pulls/blobs/sha256');
    await vi.waitFor(() => expect(readdirSync(blobs)).toHaveLength(1), { timeout: 10_000 });
    await vi.waitFor(() => expect(sizesIn(join(setting.directory, 'pulls/partial'))).toEqual([100_000]), {
      timeout: 10_000,
    });
    controller.abort();
    expect(await first).toMatchObject({ state: 'Cancelled' });

    delete registry.faults.stall;
    const asked = registry.seen.length;
    await validateImage(await openOutput(await pull(`${registry.host}/team/app:v1`)));
    const again = registry.seen.slice(asked).filter(({ path }) => path.includes('/blobs/'));
    const rangesOf = (digest = ''): unknown[] =>
      again.filter(({ path }) => path.endsWith(digest)).map(({ headers }) => headers.range);
    expect(rangesOf(whole?.digest)).toEqual([]);
    expect(rangesOf(cut?.digest)).toEqual([`bytes=100000-${(cut?.size ?? 0) - 1}`]);
    expect(readdirSync(blobs)).toEqual([]);
    expect(sizesIn(join(setting.directory, 'pulls/partial'))).toEqual([]);
  });

  test('a zstd layer, which is read to learn its size, is transferred once', async () => {
    const layer = layerOf(tarOf([{ path: 'one', text: 'packed' }]), 'zstd');
    registry.add('team/app', 'v1', imageOf([layer]));
    await validateImage(await openOutput(await pull(`${registry.host}/team/app:v1`)));
    expect(registry.seen.filter(({ path }) => path.endsWith(layer.descriptor.digest))).toHaveLength(1);
  });

  const broken: [string, Partial<Container>, RegExp][] = [
    ['another command', { command: ['docker', 'run', 'x'] }, /expected command to be \["docker","pull",…\] or/],
    ['another program', { command: ['podman', 'pull', 'x'] }, /expected command/],
    [
      'two names',
      { command: ['docker', 'pull', 'a', 'b'] },
      /expected command to be \["docker","pull","<image name>"\]/,
    ],
    ['mounts', { mounts: { '/x': { kind: 'tmp', capacity: 1 } } }, /docker pull: expected mounts to be {}/],
    ['no network', { runtime_constraints: { ram: 0, vcpus: 1 } }, /expected runtime_constraints\.API to be true/],
    ['an output path', { output_path: '/out' }, /expected output_path to be "\/"/],
  ];
  test.each(broken)('%s: refused with the rule', async (_name, work, message) => {
    const container = await run({ command: ['docker', 'pull', 'debian'], ...work });
    expect(container).toMatchObject({ state: 'Cancelled', runtime_status: { retryable: false } });
    expect(container.runtime_status.error).toMatch(message);
  });
});

describe('docker build', () => {
  const build = (dockerfile: string, more: Partial<Container> = {}, secrets: Mounts = {}): Promise<Container> => {
    const mounts = { '/Dockerfile': { kind: 'text', content: dockerfile }, ...more.mounts } as const;
    return run({ command: ['docker', 'build'], ...more, mounts }, { secrets });
  };

  async function pulledBase(): Promise<NonNullable<Container['output']>> {
    registry.add('team/base', '1', imageOf([layerOf(tarOf([{ path: 'etc/' }, { path: 'etc/base', text: 'base' }]))]));
    const { output } = await pull(`${registry.host}/team/base:1`);
    if (!output) throw new Error('the base was not pulled');
    return output;
  }

  test('from a base in Keep and a context in Keep', async () => {
    const base = await pulledBase();
    const context = await setting.store({
      'app/run.sh': '#!/bin/sh\necho hi\n',
      ignored: 'x',
      '.dockerignore': 'ignored\n',
    });
    const mounts: Mounts = {
      '/': { kind: 'collection', portable_data_hash: context.portableDataHash },
      [`/FROM/${registry.host}/team/base:1`]: { kind: 'collection', portable_data_hash: base },
    };
    const text = `FROM ${registry.host}/team/base:1\nARG WHO=nobody\nCOPY . /\nENV WHO=$WHO\n`;
    const container = await build(text, { mounts, environment: { WHO: 'me' } });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
    const image = await openOutput(container);
    await validateImage(image);
    expect(image.config.config?.Env).toContain('WHO=me');
    expect(image.layers).toHaveLength(2);
    expect(container.output_properties['docker-image-hash']).toBe(image.imageHash);
    expect(container.output_properties['docker-image-timestamp']).toBe('2026-01-02T03:04:05Z');
    const again = await build(text, { mounts, environment: { WHO: 'me' } });
    expect(again.output).toBe(container.output);
    expect((await setting.readLog(again))['crunch-run.txt']).toMatch(/cached/);
    expect((await setting.readLog(again))['crunch-run.txt']).toMatch(/Keep has it/);
  });

  test('the Dockerfile from its path in the context', async () => {
    const context = await setting.store({ 'docker/Dockerfile': 'FROM scratch\nCOPY a /a\n', a: 'A' });
    const mounts: Mounts = { '/': { kind: 'collection', portable_data_hash: context.portableDataHash } };
    const container = await run({ command: ['docker', 'build', '/docker/Dockerfile'], mounts });
    expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
  });

  test('the target stage', async () => {
    const text = 'FROM scratch AS one\nLABEL which=one\nFROM scratch AS two\nLABEL which=two\n';
    const container = await build(text, { command: ['docker', 'build', '--target', 'one'] });
    expect((await openOutput(container)).config.config?.Labels).toEqual({ which: 'one' });
  });

  test('a mistake in the Dockerfile: exit code 1, the line in the log', async () => {
    const container = await build('FROM scratch\nCOPPY a b\n');
    expect(container).toMatchObject({ state: 'Complete', exit_code: 1, output: null });
    expect((await setting.readLog(container))['stderr.txt']).toMatch(/Dockerfile.*2.*COPPY|COPPY.*2/s);
  });

  describe('what ADD fetches', () => {
    const url = 'https://h.example/f?token=abc';
    const line = `ADD ${url} /d`;

    async function addMounts(): Promise<Mounts> {
      const { portableDataHash } = await setting.store({ 'any name': 'text' });
      return { [`/ADD/${url}`]: { kind: 'collection', portable_data_hash: portableDataHash } };
    }

    test('comes from the mount of its URL, with its time', async () => {
      const times: Mounts = { '/ADD': { kind: 'json', content: { [url]: 9 } } };
      const environment = { SOURCE_DATE_EPOCH: '100' };
      const container = await build(`FROM scratch\n${line}`, {
        environment,
        mounts: { ...(await addMounts()), ...times },
      });
      expect(container).toMatchObject({ state: 'Complete', exit_code: 0 });
      const { entries } = await mergedTree((await openOutput(container)).layers);
      expect([...entries.values()]).toMatchObject([{ path: 'd', type: 'file', size: 4, mode: 0o600, mtime: 9 }]);
      expect((await setting.readLog(container))['crunch-run.txt']).not.toContain('abc');
    });

    test('is what its checksum says', async () => {
      const zeros = `sha256:${'0'.repeat(64)}`;
      const text = `FROM scratch\n${line.replace('ADD', `ADD --checksum=${zeros}`)}`;
      const container = await build(text, { mounts: await addMounts() });
      expect(container).toMatchObject({ state: 'Complete', exit_code: 1 });
      expect(container.runtime_status.error).toMatch(/ADD of \S+token=\*\*\*: expected sha256:0+, got sha256:982d/);
    });

    test.each<[string, () => Promise<Mounts>, RegExp]>([
      ['not there', async () => ({}), /as a collection of one file, got none/],
      [
        'not one file',
        async () => {
          const { portableDataHash } = await setting.store({ a: '', b: '' });
          return { [`/ADD/${url}`]: { kind: 'collection', portable_data_hash: portableDataHash } };
        },
        /as a collection of one file, got collection/,
      ],
    ])('is missed where it is %s', async (_what, mounts, message) => {
      const container = await build(`FROM scratch\n${line}`, { mounts: await mounts() });
      expect(container).toMatchObject({ state: 'Complete', exit_code: 1 });
      expect(container.runtime_status.error).toMatch(message);
      expect((await setting.readLog(container))['stderr.txt']).toMatch(/Dockerfile.*2/);
    });

    test('has a time that is one', async () => {
      const mounts: Mounts = { ...(await addMounts()), '/ADD': { kind: 'json', content: { [url]: 'today' } } };
      const container = await build(`FROM scratch\n${line}`, { mounts });
      expect(container.state).toBe('Cancelled');
      expect(container.runtime_status.error).toMatch(/mounts\["\/ADD"\] to be a json of whole seconds by URL/);
    });
  });

  test('a base that the request does not hold', async () => {
    const container = await build('FROM debian:8\n');
    expect(container.exit_code).toBe(1);
    expect((await setting.readLog(container))['stderr.txt']).toMatch(
      /Dockerfile:1: expected the base image .*debian:8 in the mounts, got none\n\S+ hint: add a mount/,
    );
  });

  const broken: [string, Partial<Container>, Mounts, RegExp][] = [
    [
      'a flag',
      { command: ['docker', 'build', '--squash'] },
      {},
      /no flags but --target and --platform, got "--squash"/,
    ],
    ['a moving URL', { command: ['docker', 'build', 'https://h/r.git#main'] }, {}, /<repository>#<commit>/],
    ['a strange mount', { mounts: { '/x': { kind: 'tmp', capacity: 1 } } }, {}, /expected mounts to be "\/"/],
    [
      'a strange secret',
      {},
      { '/x': { kind: 'text', content: 's' } },
      /expected secret_mounts to be "\/run\/secrets\/<id>"/,
    ],
  ];
  test.each(broken)('%s: refused with the rule', async (_name, work, secrets, message) => {
    const container = await build('FROM scratch\n', work, secrets);
    expect(container.state).toBe('Cancelled');
    expect(container.runtime_status.error).toMatch(message);
  });
});
