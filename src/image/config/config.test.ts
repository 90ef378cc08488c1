import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { formatReference, parseReference } from '../reference.ts';
import { runCredentialHelper } from './credential-helper.ts';
import { createCredentialStore } from './credentials.ts';
import { createDirectory } from './directory.ts';
import { loadRegistriesConf } from './load-registries.ts';
import { parseRegistriesConf } from './registries-conf.ts';

const scratch = mkdtempSync(join(tmpdir(), 'config-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A root folder with these files; `home` is `<root>/home`. */
function rootOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(scratch, 'root-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
const load = (files: Readonly<Record<string, string>>, env: Record<string, string> = {}) => {
  const root = rootOf(files);
  return loadRegistriesConf({ env, homeDir: join(root, 'home'), root });
};

describe('registries.conf', () => {
  const conf = `
unqualified-search-registries = ["registry.example", "docker.io"]
[[registry]]
prefix = "quay.io/private"
location = "inner.example:5000/quay"
insecure = true
[[registry.mirror]]
location = "mirror.example/q"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
insecure = true
[[registry]]
location = "bad.example"
blocked = true
[[registry]]
prefix = "*.corp.example"
location = "proxy.example/corp"
[[registry]]
location = "digests.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "localhost:5000"
[aliases]
"mytool" = "quay.io/team/mytool"
`;
  const at = async (text: string) => {
    const directory = createDirectory(await parseRegistriesConf(conf, 'registries.conf'));
    return directory
      .endpoints(parseReference(text))
      .map((one) => `${one.registry}/${one.repository}${one.insecure ? ' insecure' : ''}`);
  };
  const digest = `sha256:${'a'.repeat(64)}`;

  it.each([
    ['debian', ['docker.io/library/debian']],
    ['quay.io/other/x', ['quay.io/other/x']],
    ['quay.io/privateer/x', ['quay.io/privateer/x']],
    ['quay.io/private/x', ['mirror.example/q/x', 'tags.example/x insecure', 'inner.example:5000/quay/x insecure']],
    [`quay.io/private/x@${digest}`, ['mirror.example/q/x', 'inner.example:5000/quay/x insecure']],
    ['a.corp.example/x', ['proxy.example/corp/x']],
    ['digests.example/x', ['digests.example/x']],
    [`digests.example/x@${digest}`, ['localhost:5000/x insecure', 'digests.example/x']],
    ['127.0.0.1:5000/x', ['127.0.0.1:5000/x insecure']],
  ])('asks for %s at %j', async (reference, expected) => {
    expect(await at(reference)).toEqual(expected);
  });

  it('refuses what it blocks', async () => {
    await expect(at('bad.example/x')).rejects.toMatchObject({
      code: 'image/registry-blocked',
      message: expect.stringContaining('bad.example'),
    });
  });

  it.each([
    ['mytool:2', ['quay.io/team/mytool:2']],
    ['debian:12', ['registry.example/debian:12', 'docker.io/library/debian:12']],
    ['docker.io/debian:12', ['docker.io/library/debian:12']],
  ])('takes the short name %s for %j', async (text, expected) => {
    const directory = createDirectory(await parseRegistriesConf(conf, 'registries.conf'));
    expect(directory.candidates(parseReference(text)).map(formatReference)).toEqual(expected);
  });

  it.each([
    ['a = ', /registries.conf: /],
    ['[registries.search]\nregistries = []', /version 1/],
    ['unqualified-search-registries = "x"', /expected an array/],
    ['[[registry]]\ninsecure = true', /neither prefix nor location/],
    ['[[registry]]\nlocation = "https://x"', /expected a host/],
    ['[[registry]]\nlocation = "x"\ninsecure = "yes"', /expected true or false/],
    ['[[registry]]\nprefix = "*.x/y"', /only a host/],
    [
      '[[registry]]\nlocation = "x"\n[[registry.mirror]]\nlocation = "y"\npull-from-mirror = "never"',
      /expected all, digest-only/,
    ],
  ])('refuses %j', async (text, message) => {
    await expect(parseRegistriesConf(text, 'registries.conf')).rejects.toMatchObject({
      code: 'image/bad-registries-conf',
      message: expect.stringMatching(message),
      where: expect.objectContaining({ file: 'registries.conf' }),
    });
  });

  it('takes the user file over the system one, and the drop-ins of both', async () => {
    const system = 'unqualified-search-registries = ["system.example"]\n[[registry]]\nlocation = "s.example"';
    const files = {
      'etc/containers/registries.conf': system,
      'etc/containers/registries.conf.d/10.conf': '[aliases]\na = "x.example/a"\nb = "x.example/b"',
      'home/.config/containers/registries.conf.d/20.conf': '[aliases]\nb = "y.example/b"',
    };
    const conf = await load(files);
    expect(conf.unqualifiedSearchRegistries).toEqual(['system.example']);
    expect([...conf.aliases]).toEqual([
      ['a', 'x.example/a'],
      ['b', 'y.example/b'],
    ]);
    const user = await load({
      ...files,
      'home/.config/containers/registries.conf': '[[registry]]\nlocation = "u.example"',
    });
    expect(user.registries.map(({ prefix }) => prefix)).toEqual(['u.example']);
  });

  it('reads only the file that the environment names, which must exist', async () => {
    const files = {
      'etc/containers/registries.conf': 'unqualified-search-registries = ["s.example"]',
      'own.conf': '[aliases]\na = "x.example/a"',
    };
    const root = rootOf(files);
    const conf = await loadRegistriesConf({
      env: { CONTAINERS_REGISTRIES_CONF: join(root, 'own.conf') },
      homeDir: root,
      root,
    });
    expect([...conf.aliases.keys()]).toEqual(['a']);
    await expect(load(files, { CONTAINERS_REGISTRIES_CONF: '/nowhere.conf' })).rejects.toMatchObject({
      code: 'image/bad-registries-conf',
    });
  });

  it('is empty where there is no file', async () => {
    expect(await load({})).toEqual({ unqualifiedSearchRegistries: [], registries: [], aliases: new Map() });
  });
});

describe('credentials', () => {
  const auth = (user: string) => ({ auth: Buffer.from(`${user}:pa:ss`).toString('base64') });
  const ask = (
    files: Record<string, unknown>,
    registry: string,
    repository = 'team/app',
    env: Record<string, string> = {},
  ) => {
    const root = rootOf(
      Object.fromEntries(
        Object.entries(files).map(([path, json]) => [path, typeof json === 'string' ? json : JSON.stringify(json)]),
      ),
    );
    const inRoot = Object.fromEntries(Object.entries(env).map(([name, path]) => [name, join(root, path)]));
    const runHelper = async (name: string, server: string) => ({
      kind: 'password' as const,
      username: name,
      password: server,
    });
    return createCredentialStore({ env: inRoot, homeDir: join(root, 'home'), root, uid: 7, runHelper }).find(
      registry,
      repository,
    );
  };
  const user = (username: string) => ({ kind: 'password', username, password: 'pa:ss' });
  const docker = 'home/.docker/config.json';

  it.each<[string, Record<string, unknown>, string, unknown]>([
    ['a registry', { auths: { 'host:5000': auth('ann') } }, 'host:5000', user('ann')],
    ['another registry', { auths: { 'host:5000': auth('ann') } }, 'host:5001', undefined],
    ['Docker Hub', { auths: { 'https://index.docker.io/v1/': auth('hub') } }, 'docker.io', user('hub')],
    ['a name space', { auths: { 'quay.io': auth('all'), 'quay.io/team': auth('team') } }, 'quay.io', user('team')],
    ['a URL as key', { auths: { 'https://quay.io': auth('url') } }, 'quay.io', user('url')],
    [
      'an identity token',
      { auths: { 'quay.io': { ...auth('x'), identitytoken: 'idt' } } },
      'quay.io',
      { kind: 'identity-token', token: 'idt' },
    ],
    [
      'a helper of the registry',
      { credHelpers: { 'quay.io': 'pass' }, auths: { 'quay.io': auth('x') } },
      'quay.io',
      { kind: 'password', username: 'pass', password: 'quay.io' },
    ],
    [
      'a store',
      { credsStore: 'desktop' },
      'docker.io',
      { kind: 'password', username: 'desktop', password: 'https://index.docker.io/v1/' },
    ],
  ])('finds the login of %s', async (_what, json, registry, expected) => {
    expect(await ask({ [docker]: json }, registry)).toEqual(expected);
  });

  it('looks in the files in the order of podman', async () => {
    const one = (name: string) => ({ auths: { 'quay.io': auth(name) } });
    const files = {
      'run/user/7/containers/auth.json': one('runtime'),
      'home/.config/containers/auth.json': one('config'),
      [docker]: one('docker'),
    };
    expect(await ask(files, 'quay.io')).toEqual(user('runtime'));
    expect(await ask({ ...files, 'run/user/7/containers/auth.json': { auths: {} } }, 'quay.io')).toEqual(
      user('config'),
    );
    expect(await ask({ ...files, 'my.json': one('mine') }, 'quay.io', 'x', { REGISTRY_AUTH_FILE: 'my.json' })).toEqual(
      user('mine'),
    );
    expect(
      await ask({ ...files, 'd/config.json': one('d') }, 'quay.io', 'x', {
        XDG_RUNTIME_DIR: 'r',
        XDG_CONFIG_HOME: 'c',
        DOCKER_CONFIG: 'd',
      }),
    ).toEqual(user('d'));
  });

  it.each([
    ['{"auths": {"x": "s3cret"', /no JSON/],
    ['[]', /expected a JSON object/],
    [JSON.stringify({ auths: { 'quay.io': { auth: 'czNjcmV0' } } }), /no user:password/],
  ])('refuses %s without showing it', async (text, message) => {
    const asking = ask({ [docker]: text }, 'quay.io');
    await expect(asking).rejects.toMatchObject({
      code: 'image/bad-credentials',
      message: expect.stringMatching(message),
    });
    await expect(asking).rejects.toMatchObject({ message: expect.not.stringContaining('s3cret') });
  });
});

describe('runCredentialHelper', () => {
  const helper = (name: string, script: string) => {
    writeFileSync(join(scratch, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
    chmodSync(join(scratch, `docker-credential-${name}`), 0o755);
    process.env.PATH = `${scratch}:${process.env.PATH?.replace(`${scratch}:`, '')}`;
    return runCredentialHelper(name, 'quay.io');
  };

  it('speaks the protocol', async () => {
    expect(
      await helper('good', 'read s; echo "{\\"ServerURL\\":\\"$s\\",\\"Username\\":\\"$1\\",\\"Secret\\":\\"$s\\"}"'),
    ).toEqual({
      kind: 'password',
      username: 'get',
      password: 'quay.io',
    });
    expect(await helper('token', 'echo \'{"Username":"<token>","Secret":"t"}\'')).toEqual({
      kind: 'identity-token',
      token: 't',
    });
    expect(await helper('none', 'echo "credentials not found in native keychain"; exit 1')).toBeUndefined();
  });

  it.each([
    ['broken', 'echo s3cret; exit 3', /ended with 3/],
    ['odd', 'echo s3cret', /no JSON/],
    ['half', 'echo "{}"', /no Username/],
  ])('says that %s fails, without its output', async (name, script, message) => {
    const asking = helper(name, script);
    await expect(asking).rejects.toMatchObject({
      code: 'image/bad-credentials',
      message: expect.stringMatching(message),
    });
    await expect(asking).rejects.toMatchObject({ message: expect.not.stringContaining('s3cret') });
  });

  it('says that a helper is not installed, and runs no path', async () => {
    await expect(runCredentialHelper('absent', 'x')).rejects.toMatchObject({
      message: expect.stringContaining('ENOENT'),
    });
    await expect(runCredentialHelper('../sh', 'x')).rejects.toMatchObject({
      message: expect.stringContaining('no name of a helper'),
    });
  });
});
