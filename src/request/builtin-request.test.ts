import { describe, expect, it } from 'vitest';
import { withCode } from '../../test/fakes/job-kit.ts';
import type { PortableDataHash } from '../core/ids.ts';
import { gib, mib } from '../core/units.ts';
import { type ResolvedBuild, toBuildRequest } from './build-request.ts';
import { toPullRequest } from './pull-request.ts';

const context = 'acbd18db4cc2f85cedef654fccc4a4d8+3' as PortableDataHash;
const base = '37b51d194a7513e45b56f6524f2d51f2+3' as PortableDataHash;

describe('docker pull', () => {
  it('is one command without mounts', () => {
    expect(toPullRequest('host:5000/img:tag@sha256:00')).toEqual({
      name: 'docker pull host:5000/img:tag@sha256:00',
      state: 'Committed',
      priority: 500,
      container_image: 'arvados/builtin',
      command: ['docker', 'pull', 'host:5000/img:tag@sha256:00'],
      cwd: '/',
      environment: {},
      mounts: {},
      output_path: '/',
      output_name: 'Output from docker pull host:5000 img:tag@sha256:00',
      runtime_constraints: { API: true, vcpus: 1, ram: 256 * mib },
      use_existing: true,
    });
  });

  it('takes amounts and asks for no reuse', () => {
    const made = toPullRequest('debian', {
      ramBytes: gib,
      vcpus: 2,
      reuse: false,
      priority: 7,
    });
    expect(made).toMatchObject({
      runtime_constraints: { ram: gib, vcpus: 2 },
      use_existing: false,
      priority: 7,
    });
  });

  it.each(['', '--all-tags', 'a b'])('refuses %j', (reference) => {
    expect(() => toPullRequest(reference)).toThrowError(withCode('request/bad-image') as never);
  });
});

describe('docker build', () => {
  const build = (fields: Partial<ResolvedBuild>): ResolvedBuild => ({
    dockerfile: { text: 'FROM a' },
    bases: [],
    buildArgs: {},
    ...fields,
  });

  it('holds the Dockerfile, its bases and its arguments', () => {
    const made = toBuildRequest(
      build({ bases: [{ reference: 'debian:stable-slim', image: base }], buildArgs: { VERSION: '1' } }),
    );
    expect(made).toMatchObject({
      container_image: 'arvados/builtin',
      command: ['docker', 'build'],
      environment: { VERSION: '1' },
      mounts: {
        '/Dockerfile': { kind: 'text', content: 'FROM a' },
        '/FROM/debian:stable-slim': { kind: 'collection', portable_data_hash: base },
      },
      output_path: '/',
      runtime_constraints: { API: true },
    });
  });

  it.each<[Partial<ResolvedBuild>, readonly string[], object]>([
    [
      { dockerfile: { path: 'Dockerfile' }, context: { portableDataHash: context } },
      [],
      { '/': { kind: 'collection', portable_data_hash: context } },
    ],
    [
      { dockerfile: { path: './docker/Dockerfile' }, context: { portableDataHash: context, path: 'src' } },
      ['/docker/Dockerfile'],
      { '/': { kind: 'collection', portable_data_hash: context, path: 'src' } },
    ],
    [
      { dockerfile: { path: 'Dockerfile' }, context: { url: 'https://x/y.git', commit: 'c'.repeat(40), path: 'd' } },
      [],
      { '/': { kind: 'git_tree', url: 'https://x/y.git', commit: 'c'.repeat(40), path: 'd' } },
    ],
    [
      {
        added: [
          { url: 'https://x/f', content: { portableDataHash: context }, modifiedSeconds: 9 },
          { url: 'git@x:y.git#v1', content: { url: 'git@x:y.git', commit: 'c'.repeat(40) } },
        ],
      },
      [],
      {
        '/Dockerfile': { kind: 'text', content: 'FROM a' },
        '/ADD/https://x/f': { kind: 'collection', portable_data_hash: context },
        '/ADD/git@x:y.git#v1': { kind: 'git_tree', url: 'git@x:y.git', commit: 'c'.repeat(40) },
        '/ADD': { kind: 'json', content: { 'https://x/f': 9 } },
      },
    ],
    [
      { target: 'run', platform: 'linux/arm64' },
      ['--target', 'run', '--platform', 'linux/arm64'],
      { '/Dockerfile': { kind: 'text', content: 'FROM a' } },
    ],
  ])('%j', (fields, words, mounts) => {
    const made = toBuildRequest(build(fields));
    expect(made.command).toEqual(['docker', 'build', ...words]);
    expect(made.mounts).toEqual(mounts);
  });

  it.each<[Partial<ResolvedBuild>, RegExp]>([
    [{ dockerfile: { path: 'Dockerfile' } }, /has no context/],
    [{ dockerfile: { path: '../Dockerfile' }, context: { portableDataHash: context } }, /inside the context/],
  ])('refuses %j', (fields, message) => {
    expect(() => toBuildRequest(build(fields))).toThrowError(withCode('request/bad-build', message) as never);
  });
});
