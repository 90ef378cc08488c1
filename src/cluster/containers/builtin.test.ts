import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, pullRequest } from '../../../test/contract/cluster-api.ts';
import type { ContainerRequest } from '../../api/records.ts';
import { type Cluster, openCluster } from '../cluster.ts';

let cluster: Cluster;
beforeAll(() => {
  cluster = openCluster({ path: ':memory:' });
});
afterAll(() => cluster.close());

const commit = (more: Partial<ContainerRequest>) =>
  cluster.create('container_requests', pullRequest({ state: 'Committed', priority: 1, ...more }));
const tmp = { kind: 'tmp', capacity: 1 } as const;
const build = ['docker', 'build'];

describe('builtin requests', () => {
  it.each<[string, RegExp, Partial<ContainerRequest>]>([
    ['another program', /expected command to be \["docker","pull",…\] or/, { command: ['podman', 'pull', 'x'] }],
    ['another subcommand', /expected command/, { command: ['docker', 'push', 'x'] }],
    ['a pull of nothing', /<image reference>/, { command: ['docker', 'pull'] }],
    ['a pull with options', /<image reference>/, { command: ['docker', 'pull', '--all-tags'] }],
    ['a pull with mounts', /expected mounts to be \{\} for docker pull/, { mounts: { '/x': tmp } }],
    ['a pull without API', /runtime_constraints.API to be true/, { runtime_constraints: { ram: 1, vcpus: 1 } }],
    ['another output path', /expected output_path to be "\/", got "\/out"/, { output_path: '/out' }],
    ['a build with too much', /one Dockerfile or URL/, { command: [...build, 'a', 'b'] }],
    ['a build with options', /one Dockerfile or URL/, { command: [...build, '--squash'] }],
    ['a build for no stage', /one Dockerfile or URL/, { command: [...build, '--target'] }],
    ['a context that is no tree', /for the context of docker build/, { command: build, mounts: { '/': tmp } }],
    ['an ADD of no tree', /what ADD fetches/, { command: build, mounts: { '/ADD/https://h/f': tmp } }],
    ['times that are no json', /times of what is added/, { command: build, mounts: { '/ADD': tmp } }],
    ['a base that is no collection', /a base image/, { command: build, mounts: { '/base': tmp } }],
  ])('refuse %s', async (_what, message, change) => {
    await expectCode('api/bad-attribute', commit(change), message);
  });

  it.each<[string, Partial<ContainerRequest>]>([
    ['a pull', {}],
    ['a build', { command: build, environment: { VERSION: '1' } }],
    ['a build with a Dockerfile', { command: [...build, '/path/to/Dockerfile'] }],
    [
      'a build of one stage for one platform',
      { command: [...build, '--target', 'run', '--platform=linux/arm64', '/docker/Tool'] },
    ],
    ['a build from a repository', { command: [...build, 'https://example.org/repo.git#main:sub'] }],
    [
      'a build of a git tree',
      { command: build, mounts: { '/': { kind: 'git_tree', url: 'u', commit: 'a'.repeat(40) } } },
    ],
    [
      'a build of what ADD fetched',
      {
        command: build,
        mounts: {
          '/ADD': { kind: 'json', content: { 'https://h/f': 9 } },
          '/ADD/https://h/f': { kind: 'collection' },
          '/ADD/git@h:r.git': { kind: 'git_tree', url: 'git@h:r.git', commit: 'a'.repeat(40) },
        },
      },
    ],
  ])('accept %s', async (_what, change) => {
    expect(await commit(change)).toMatchObject({ state: 'Committed', container_count: 1 });
  });
});

describe('mounts', () => {
  it.each<[string, RegExp, object]>([
    ['a relative target', /absolute path/, { out: tmp }],
    ['no capacity', /capacity above 0/, { '/x': { kind: 'tmp', capacity: 0 } }],
    ['an unknown kind', /expected mounts\["\/x"\] to be of kind collection/, { '/x': { kind: 'keep' } }],
    ['a name for a hash', /a portable data hash/, { '/x': { kind: 'collection', portable_data_hash: 'mine' } }],
    ['a short commit', /whole commit hash/, { '/x': { kind: 'git_tree', url: 'u', commit: 'abc' } }],
    ['no object', /an object/, { '/x': null }],
  ])('refuse %s', async (_what, message, mounts) => {
    await expectCode('api/bad-attribute', commit({ mounts: mounts as never, command: build }), message);
  });
});
