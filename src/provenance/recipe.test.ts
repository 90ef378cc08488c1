import { describe, expect, it } from 'vitest';
import type { ContainerRequest, Mounts } from '../api/records.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { parseBuiltinCommand, purposeOf, readBuildRecipe, readGitState } from './recipe.ts';

const request = (
  command: readonly string[],
  mounts: Mounts = {},
  properties = {},
  container_image = 'arvados/builtin',
) => ({ command, mounts, properties, container_image, environment: {} }) as unknown as ContainerRequest;

const pdh = `${'0'.repeat(32)}+40`;

describe('what a request is for', () => {
  it.each([
    [['docker', 'pull', 'debian'], {}, 'arvados/builtin', 'pull'],
    [['docker', 'build'], {}, 'arvados/builtin', 'build'],
    [['docker', 'push'], {}, 'arvados/builtin', 'step'],
    [['docker', 'pull', 'debian'], {}, pdh, 'step'],
    [['cwl-runner', 'wf.cwl'], {}, pdh, 'run'],
    [['arvados-cwl-runner', '--api=containers'], {}, pdh, 'run'],
    [['anything'], { 'hm:kind': 'run' }, 'arvados/builtin', 'run'],
  ])('%j %j in %s is a %4$s', (command, properties, image, purpose) => {
    expect(purposeOf(request(command, {}, properties, image))).toBe(purpose);
  });
});

describe('a builtin command', () => {
  it.each([
    [['docker', 'build'], { flags: {} }],
    [['docker', 'build', '/d/Dockerfile'], { flags: {}, operand: '/d/Dockerfile' }],
    [
      ['docker', 'build', '--target', 'a', '--platform=linux/arm64', '--no-cache', 'https://x/y.git#main:sub'],
      {
        flags: { '--target': 'a', '--platform': 'linux/arm64', '--no-cache': 'true' },
        operand: 'https://x/y.git#main:sub',
      },
    ],
    [['docker', 'pull', 'host:5000/a:b'], { flags: {}, operand: 'host:5000/a:b' }],
  ])('%j', (command, expected) => {
    expect(parseBuiltinCommand(command)).toEqual(expected);
  });
});

describe('the recipe of a build', () => {
  it('names the Dockerfile that lies in the context, and its hash where the request tells it', () => {
    const sha256 = 'a'.repeat(64);
    const build = request(['docker', 'build'], {}, { 'hm:dockerfileSha256': sha256, 'hm:document': 'file:///a.cwl' });
    expect(readBuildRecipe(build)).toEqual({
      dockerfile: { path: '/Dockerfile', sha256 },
      buildArguments: {},
      added: [],
      bases: [],
      document: 'file:///a.cwl',
    });
  });

  it('takes a git tree for its context', () => {
    const tree = { kind: 'git_tree', url: 'https://git.example/a.git', commit: 'c0ffee', path: 'sub' } as const;
    const { context } = readBuildRecipe(request(['docker', 'build'], { '/': tree }));
    expect(context).toEqual({ url: 'https://git.example/a.git', commit: 'c0ffee', path: 'sub' });
  });

  it('names what ADD fetched, with what the server said of it', () => {
    const [url, other] = ['https://h/f?x=1', 'https://h/r.git#v1'];
    const commit = 'c'.repeat(40);
    const mounts: Mounts = {
      '/ADD': { kind: 'json', content: { [url]: 9 } },
      [`/ADD/${url}`]: { kind: 'collection', portable_data_hash: pdh as PortableDataHash },
      [`/ADD/${other}`]: { kind: 'git_tree', url: 'https://h/r.git', commit },
    };
    const said = { sha256: 'a'.repeat(64), Date: 'now', 'Last-Modified': 'then', Etag: '"1"', 'Cache-Control': 'x' };
    const { added } = readBuildRecipe(request(['docker', 'build'], mounts, { 'hm:added': { [url]: said } }));
    expect(added).toEqual([
      { url, portableDataHash: pdh, sha256: said.sha256, date: 'now', lastModified: 'then', etag: '"1"' },
      { url: other, repository: 'https://h/r.git', commit },
    ]);
  });

  it('takes bases by the reference as written', () => {
    const mounts = {
      '/FROM/host:5000/base:1@sha256:ab': { kind: 'collection', portable_data_hash: pdh },
    } as unknown as Mounts;
    expect(readBuildRecipe(request(['docker', 'build'], mounts)).bases).toEqual([
      { reference: 'host:5000/base:1@sha256:ab', portableDataHash: pdh },
    ]);
  });
});

describe('the state of the work tree', () => {
  it('is clean when git status said nothing', () => {
    expect(readGitState({ 'arv:gitCommit': 'c0ffee', 'arv:gitStatus': '' })).toEqual({
      commit: 'c0ffee',
      dirty: false,
    });
  });
  it('is unknown where git did not say', () => {
    expect(readGitState({ 'arv:gitCommit': 'c0ffee' })).toEqual({ commit: 'c0ffee' });
  });
  it('is unknown outside a work tree', () => {
    expect(readGitState({})).toBeUndefined();
  });
});
