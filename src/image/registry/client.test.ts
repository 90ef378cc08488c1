import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { validateImage } from '../../../test/contract/validate-image.ts';
import { type FakeRegistryOptions, startRegistry } from '../../../test/fakes/registry.ts';
import { imageOf, layerOf, smallImage, tarOf } from '../../../test/fakes/registry-images.ts';
import { mediaTypes } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import { createRegistryClient, type RegistryClientOptions } from './client.ts';
import { createHttpSend } from './http.ts';
import type { Credentials, RegistryDirectory } from './port.ts';

const loopback: RegistryDirectory = {
  candidates: (reference) => [reference],
  endpoints: ({ registry, repository }) => [{ registry, repository, insecure: true, isMirror: false }],
};
const policy = { retries: 3, connectRetries: 2, sleep: async () => {} };

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

async function start(options?: FakeRegistryOptions) {
  const registry = await startRegistry(options);
  running.push(registry);
  return registry;
}

function clientOf(credentials?: Credentials, options: Partial<RegistryClientOptions> = {}) {
  return createRegistryClient({
    directory: loopback,
    credentials: { find: async () => credentials },
    policy,
    ...options,
  });
}

const password = { kind: 'password', username: 'ann', password: 'p:w' } as const;

describe('a pull', () => {
  it.each<[string, FakeRegistryOptions, Credentials | undefined]>([
    ['without a login', {}, undefined],
    ['with basic authentication', { auth: 'basic', users: { ann: 'p:w' } }, password],
    ['with a token for anybody', { auth: 'token' }, undefined],
    ['with a token for a user', { auth: 'token', users: { ann: 'p:w' } }, password],
    [
      'with an identity token',
      { auth: 'token', users: {}, identityToken: 'idt' },
      { kind: 'identity-token', token: 'idt' },
    ],
  ])('%s gives the whole image', async (_how, options, credentials) => {
    const registry = await start(options);
    const image = smallImage('one', 'two');
    const { digest } = registry.add('team/app', 'v1', image);
    const client = clientOf(credentials);
    const reference = parseReference(`${registry.host}/team/app:v1`);
    const pulled = await client.openImage(reference);
    await validateImage(pulled);
    expect(pulled.imageHash).toBe(image.imageHash);
    expect(pulled.plan).toMatchObject({ digest, manifestDigest: digest, imageHash: image.imageHash });
    expect((await client.resolve(reference)).digest).toBe(digest);
    expect((await client.openImage(parseReference(`${registry.host}/team/app:v1@${digest}`))).imageHash).toBe(
      image.imageHash,
    );
    await client.ping(reference);
  });

  it('sees that a tag moved with one HEAD request', async () => {
    const registry = await start();
    const first = registry.add('app', 'v1', smallImage('one'));
    const reference = parseReference(`${registry.host}/app:v1`);
    const client = clientOf();
    expect((await client.resolve(reference)).digest).toBe(first.digest);
    const second = registry.add('app', 'v1', smallImage('two'));
    registry.seen.length = 0;
    expect((await client.resolve(reference)).digest).toBe(second.digest);
    expect(registry.seen.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('plans without reading config or layers', async () => {
    const registry = await start();
    const image = smallImage('one', 'two');
    registry.add('app', 'v1', image);
    const plan = await clientOf().planPull(parseReference(`${registry.host}/app:v1`));
    const sizes = image.layers.map(({ descriptor }) => descriptor.size);
    expect(plan.sizeBytes).toBe(image.configBytes.length + sizes.reduce((a, b) => a + b));
    expect(registry.seen.some(({ path }) => path.includes('/blobs/'))).toBe(false);
  });

  it('takes zstd and uncompressed layers', async () => {
    const registry = await start();
    const image = imageOf([
      layerOf(tarOf([{ path: 'a', text: '1' }]), 'zstd'),
      layerOf(tarOf([{ path: 'b', text: '2' }]), 'none'),
    ]);
    registry.add('app', 'v1', image);
    await validateImage(await clientOf().openImage(parseReference(`${registry.host}/app:v1`)));
  });

  it('gets the digest where HEAD does not tell it', async () => {
    const registry = await start();
    const { digest } = registry.add('app', 'v1', smallImage('one'));
    registry.faults.hideDigest = true;
    expect((await clientOf().resolve(parseReference(`${registry.host}/app:v1`))).digest).toBe(digest);
  });
});

describe('an index', () => {
  const amd64 = { os: 'linux', architecture: 'amd64' };
  const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };

  it('is followed to the platform, through a nested one', async () => {
    const registry = await start();
    const [one, two] = [smallImage('amd'), smallImage('arm')];
    const inner = registry.addIndex('app', 'inner', [{ ...registry.add('app', 'b', two), platform: arm }]);
    const { digest } = registry.addIndex('app', 'v1', [{ ...registry.add('app', 'a', one), platform: amd64 }, inner]);
    const reference = parseReference(`${registry.host}/app:v1`);
    const chosen = await clientOf().openImage(reference, { platform: amd64 });
    expect(chosen.imageHash).toBe(one.imageHash);
    expect(chosen.plan.digest).toBe(digest);
    expect(chosen.plan.manifestDigest).not.toBe(digest);
    const other = await clientOf().openImage(reference, { platform: { os: 'linux', architecture: 'arm64' } });
    expect(other.imageHash).toBe(two.imageHash);
  });

  it('without the platform is an error that lists what there is', async () => {
    const registry = await start();
    registry.addIndex('app', 'v1', [{ ...registry.add('app', 'a', smallImage('x')), platform: arm }]);
    const pull = clientOf().openImage(parseReference(`${registry.host}/app:v1`), {
      platform: { os: 'linux', architecture: 's390x' },
    });
    await expect(pull).rejects.toMatchObject({
      code: 'image/no-platform',
      message: expect.stringContaining('no image for linux/s390x'),
      hint: 'it exists for linux/arm64/v8',
    });
  });
});

describe('faults', () => {
  const big = imageOf([
    layerOf(
      tarOf([{ path: 'big', text: Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7919) % 251)) }]),
      'none',
    ),
  ]);
  const open = async (registry: { host: string }, options?: Partial<RegistryClientOptions>) => {
    const image = await clientOf(undefined, options).openImage(parseReference(`${registry.host}/app:v1`));
    return image.layers[0] ?? expect.fail('no layer');
  };

  it('takes a cut blob up where it was cut', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    const layer = await open(registry);
    registry.faults.cutBlob = { afterBytes: 100_000, times: 3 };
    expect((await buffer(await layer.open())).length).toBe(layer.descriptor.size);
    const ranges = registry.seen
      .filter(({ path }) => path.includes(layer.descriptor.digest))
      .map(({ headers }) => headers.range);
    expect(ranges).toHaveLength(4);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-/.test(range ?? ''))).toBe(true);
  });

  it('copes with a registry that does not know ranges', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    const layer = await open(registry);
    registry.faults.cutBlob = { afterBytes: 100_000, times: 1 };
    registry.faults.ignoreRange = true;
    expect((await buffer(await layer.open())).length).toBe(layer.descriptor.size);
  });

  it('gives up on a blob that is always cut at once', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    const layer = await open(registry);
    registry.faults.cutBlob = { afterBytes: 0, times: 100 };
    await expect(layer.open().then(buffer)).rejects.toMatchObject({
      code: 'image/registry-unavailable',
      retryable: true,
    });
  });

  it('notices that a blob stalls', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    const layer = await open(registry, { stallTimeoutMs: 50 });
    registry.faults.stall = { times: 1 };
    expect((await buffer(await layer.open())).length).toBe(layer.descriptor.size);
  });

  it('refuses bytes that are not the digest', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    const layer = await open(registry);
    registry.faults.flipBit = true;
    await expect(layer.open().then(buffer)).rejects.toMatchObject({
      code: 'image/blob-damaged',
      message: expect.stringMatching(/expected sha256:[0-9a-f]{64}, got sha256:[0-9a-f]{64}/),
    });
  });

  it('refuses a manifest that is not the digest', async () => {
    const registry = await start();
    const { digest } = registry.add('app', 'v1', big);
    registry.add('app', 'v2', smallImage('other'));
    registry.faults.swapManifests = true;
    const pull = clientOf().openImage(parseReference(`${registry.host}/app@${digest}`));
    await expect(pull).rejects.toMatchObject({ code: 'image/digest-mismatch' });
  });

  it('waits and tries again on 429 and 503', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    const pauses: number[] = [];
    const slow = { retries: 3, connectRetries: 2, sleep: async (ms: number) => void pauses.push(ms) };
    registry.faults.fail = { status: 429, times: 1, headers: { 'retry-after': '7' }, path: /manifests/ };
    await open(registry, { policy: slow });
    registry.faults.fail = { status: 503, times: 2, path: /manifests/ };
    await open(registry, { policy: slow });
    expect(pauses[0]).toBe(7000);
    expect(pauses).toHaveLength(3);
  });

  it.each([
    [401, 'image/unauthorized', /log in/],
    [403, 'image/forbidden', /access/],
    [404, 'image/not-found', /spelling/],
    [418, 'image/registry-error', /registry/],
    [429, 'image/rate-limited', /mirror/],
    [500, 'image/registry-unavailable', /later/],
  ])('tells %i apart', async (status, code, hint) => {
    const registry = await start();
    registry.faults.fail = { status, times: 100, path: /manifests/ };
    await expect(open(registry)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`answered ${status} (FAULT: a fault on command)`),
      hint: expect.stringMatching(hint),
    });
  });

  it('says when nobody answers', async () => {
    const registry = await start();
    await registry.close();
    const lines: string[] = [];
    const reference = parseReference(`${registry.host}/app:v1`);
    const pull = clientOf().openImage(reference, { onRetry: (line) => lines.push(line) });
    await expect(pull).rejects.toMatchObject({
      code: 'image/registry-unreachable',
      message: expect.stringContaining(`no answer from ${registry.host}`),
      retryable: false,
    });
    const said = expect.stringMatching(/no answer from .*ECONNREFUSED.*; trying again in \d\.\d s$/);
    expect(lines).toEqual([said, said]);
  });

  it('tries again when no answer comes in time, and says so in the end', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    registry.faults.slow = { delayMs: 5000, times: 100, path: /manifests/ };
    const send = createHttpSend({ responseTimeoutMs: 30 });
    await expect(open(registry, { send })).rejects.toMatchObject({
      code: 'image/registry-unavailable',
      message: expect.stringContaining('no answer from'),
      retryable: true,
    });
    expect(registry.seen.filter(({ path }) => path.includes('manifests'))).toHaveLength(4);
  });

  it('is told that the login is wrong', async () => {
    const registry = await start({ auth: 'basic', users: { ann: 'other' } });
    const pull = clientOf(password).openImage(parseReference(`${registry.host}/app:v1`));
    await expect(pull).rejects.toMatchObject({
      code: 'image/unauthorized',
      message: expect.not.stringContaining('p:w'),
    });
  });

  it('stops at an abort, also inside a blob', async () => {
    const registry = await start();
    registry.add('app', 'v1', big);
    const layer = await open(registry);
    registry.faults.stall = { times: 1 };
    const abort = new AbortController();
    const reading = layer.open(abort.signal).then(buffer);
    setTimeout(() => abort.abort(), 20);
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await expect(
      clientOf().resolve(parseReference(`${registry.host}/app:v1`), AbortSignal.abort()),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('credentials', () => {
  it('never go to another host, even when it asks for them', async () => {
    const registry = await start({ auth: 'basic', users: { ann: 'p:w' } });
    const thief = await start({ auth: 'basic', users: { ann: 'p:w' } });
    const image = smallImage('one');
    registry.add('app', 'v1', image);
    thief.add('app', 'v1', image);
    registry.faults.redirectBlobs = `http://${thief.host}`;
    const pull = clientOf(password).openImage(parseReference(`${registry.host}/app:v1`));
    await expect(pull).rejects.toMatchObject({
      code: 'image/unauthorized',
      message: expect.stringContaining(thief.host),
    });
    expect(thief.seen.length).toBeGreaterThan(0);
    expect(thief.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  it('are not needed where the other host gives blobs to anybody', async () => {
    const registry = await start({ auth: 'token', users: { ann: 'p:w' } });
    const store = await start();
    const image = smallImage('one');
    registry.add('app', 'v1', image);
    store.add('app', 'v1', image);
    registry.faults.redirectBlobs = `http://${store.host}`;
    await validateImage(await clientOf(password).openImage(parseReference(`${registry.host}/app:v1`)));
    expect(store.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });
});

describe('what is no image', () => {
  const emptyConfig = { mediaType: mediaTypes.ociConfig, digest: `sha256:${'0'.repeat(64)}`, size: 2 };
  const layer = (mediaType: string) => ({ mediaType, digest: `sha256:${'1'.repeat(64)}`, size: 2 });

  it.each([
    [
      'schema 1',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      { schemaVersion: 1, fsLayers: [] },
      'image/unsupported-manifest',
      /schema 1/,
    ],
    [
      'foreign layers',
      mediaTypes.ociManifest,
      { config: emptyConfig, layers: [layer('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip')] },
      'image/unsupported-manifest',
      /is foreign/,
    ],
    [
      'unknown layers',
      mediaTypes.ociManifest,
      { config: emptyConfig, layers: [layer('text/plain')] },
      'image/unsupported-manifest',
      /text\/plain/,
    ],
    [
      'an artifact',
      mediaTypes.ociManifest,
      { config: { ...emptyConfig, mediaType: 'application/vnd.cncf.helm.config.v1+json' }, layers: [] },
      'image/unsupported-manifest',
      /helm/,
    ],
    [
      'a bad descriptor',
      mediaTypes.ociManifest,
      { config: { ...emptyConfig, digest: 'md5:1' }, layers: [] },
      'image/bad-manifest',
      /expected a sha256 digest/,
    ],
    [
      'a bad size',
      mediaTypes.ociManifest,
      { config: { ...emptyConfig, size: -1 }, layers: [] },
      'image/bad-manifest',
      /expected a size/,
    ],
    [
      'a huge manifest',
      mediaTypes.ociManifest,
      { filler: 'x'.repeat(5 * 1024 * 1024) },
      'image/bad-manifest',
      /over 4 MiB/,
    ],
  ])('%s is refused', async (_what, mediaType, content, code, message) => {
    const registry = await start();
    registry.addManifest('app', 'v1', mediaType, content);
    const pull = clientOf().openImage(parseReference(`${registry.host}/app:v1`));
    await expect(pull).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
