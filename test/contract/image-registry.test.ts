import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDirectory } from '../../src/image/config/directory.ts';
import { emptyRegistriesConf, parseRegistriesConf } from '../../src/image/config/registries-conf.ts';
import { mediaTypes } from '../../src/image/media-types.ts';
import type { Image } from '../../src/image/model.ts';
import { formatReference, parseReference } from '../../src/image/reference.ts';
import { createRegistryClient, type RegistryClient } from '../../src/image/registry/client.ts';
import type { RegistryDirectory } from '../../src/image/registry/port.ts';
import { startRegistry } from '../fakes/registry.ts';
import { hasDebianRegistry, startDebianRegistry } from '../fakes/registry-debian.ts';
import { imageOf, layerOf, smallImage, tarOf } from '../fakes/registry-images.ts';
import { type PushTarget, pushImage, pushManifest } from '../fakes/registry-push.ts';
import { validateImage } from './validate-image.ts';

/** Every registry, the fake and the real one, is pulled from alike. The user is `ann`, the password `p:w`. */
const registries = [
  { name: 'the fake registry', start: () => startRegistry({ auth: 'basic', users: { ann: 'p:w' } }), isThere: true },
  { name: "Debian's docker-registry", start: startDebianRegistry, isThere: hasDebianRegistry() },
];

describe.each(registries.filter(({ isThere }) => isThere))('$name', ({ start }) => {
  let target: PushTarget;
  let client: RegistryClient;
  const at = (name: string) => parseReference(`${target.host}/${name}`);

  beforeAll(async () => {
    const registry = await start();
    target = { host: registry.host, user: 'ann', password: 'p:w' };
    client = clientOf('p:w');
    return () => registry.close();
  });

  function clientOf(
    password?: string,
    directory: RegistryDirectory = createDirectory(emptyRegistriesConf),
  ): RegistryClient {
    const login = password === undefined ? undefined : ({ kind: 'password', username: 'ann', password } as const);
    return createRegistryClient({
      directory,
      credentials: { find: async () => login },
      policy: { retries: 1, connectRetries: 1, sleep: async () => {} },
    });
  }

  async function expectSame(found: Image, image: Image): Promise<void> {
    expect(found.imageHash).toBe(image.imageHash);
    await validateImage(found);
  }

  it('answers a ping', async () => {
    await client.ping(at('any'));
  });

  it('gives an image by tag, by digest and by both', async () => {
    const image = imageOf([
      layerOf(tarOf([{ path: 'a', text: 'one' }])),
      layerOf(tarOf([{ path: 'b', text: 'two' }]), 'none'),
    ]);
    const { digest } = await pushImage(target, 'team/app', 'v1', image);
    await expectSame(await client.openImage(at('team/app:v1')), image);
    await expectSame(await client.openImage(at(`team/app@${digest}`)), image);
    await expectSame(await client.openImage(at(`team/app:other@${digest}`)), image);
    expect(await client.resolve(at('team/app:v1'))).toMatchObject({
      digest,
      descriptor: { mediaType: mediaTypes.ociManifest },
    });
    expect(await client.resolve(parseReference(`${formatReference(at('team/app:v1'))}@${digest}`))).toMatchObject({
      digest,
    });
  });

  it('chooses the platform from an index', async () => {
    const [amd, arm] = [smallImage('amd'), smallImage('arm')];
    const manifests = [
      { ...(await pushImage(target, 'multi', 'a', amd)), platform: { os: 'linux', architecture: 'amd64' } },
      {
        ...(await pushImage(target, 'multi', 'b', arm)),
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      },
    ];
    const { digest } = await pushManifest(target, 'multi', 'v1', mediaTypes.ociIndex, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests,
    });
    const found = await client.openImage(at('multi:v1'), { platform: { os: 'linux', architecture: 'arm64' } });
    await expectSame(found, arm);
    expect(found.plan).toMatchObject({ digest, manifestDigest: manifests[1]?.digest });
    await expectSame(await client.openImage(at('multi:v1'), { platform: { os: 'linux', architecture: 'amd64' } }), amd);
  });

  it('shows that a tag moved', async () => {
    const before = await pushImage(target, 'moving', 'v1', smallImage('before'));
    expect((await client.resolve(at('moving:v1'))).digest).toBe(before.digest);
    const after = await pushImage(target, 'moving', 'v1', smallImage('after'));
    expect((await client.resolve(at('moving:v1'))).digest).toBe(after.digest);
    expect((await client.resolve(at(`moving@${before.digest}`))).digest).toBe(before.digest);
  });

  it('gives a blob from the middle', async () => {
    await pushImage(
      target,
      'ranges',
      'v1',
      imageOf([layerOf(tarOf([{ path: 'big', text: Buffer.alloc(200_000, 'abc') }]), 'none')]),
    );
    const layer = (await client.openImage(at('ranges:v1'))).layers[0] ?? expect.fail('no layer');
    const whole = await buffer(await layer.open());
    const rest = await buffer((await layer.openFrom?.(150_001)) ?? expect.fail('cannot start in the middle'));
    expect(rest.equals(whole.subarray(150_001))).toBe(true);
  });

  it('is found through a mirror and under a short name', async () => {
    const image = smallImage('mirrored');
    await pushImage(target, 'hub/library/tool', 'v1', image);
    const conf = `unqualified-search-registries = ["127.0.0.1:9", "docker.io"]
[[registry]]
location = "127.0.0.1:9"
[[registry.mirror]]
location = "${target.host}/absent"
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "${target.host}/hub"`;
    const mirrored = clientOf('p:w', createDirectory(await parseRegistriesConf(conf, 'registries.conf')));
    await expectSame(await mirrored.openImage(parseReference('tool:v1')), image);
  });

  it('says what is not there', async () => {
    await expect(client.openImage(at('team/absent:v1'))).rejects.toMatchObject({
      code: 'image/not-found',
      message: expect.stringMatching(/team\/absent:v1: .* answered 404/),
    });
  });

  it.each([
    ['nobody', undefined],
    ['the wrong password', 'wrong'],
  ])('refuses %s', async (_who, password) => {
    await expect(clientOf(password).openImage(at('team/app:v1'))).rejects.toMatchObject({
      code: 'image/unauthorized',
      hint: expect.stringContaining('log in'),
    });
  });
});
