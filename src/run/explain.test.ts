import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunKit, type RunKit } from '../../test/fakes/run-kit.ts';
import type { ContainerRequest, Mounts } from '../api/records.ts';
import { explainDifference } from './explain.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const request = (change: Partial<ContainerRequest> = {}) =>
  ({
    container_image: 'hallmark/host',
    command: ['call', '-P', '0.1'],
    cwd: '/out',
    environment: { THREADS: '2' },
    mounts: { '/out': { kind: 'tmp', capacity: 10 }, '/cfg': { kind: 'text', content: 'a' } },
    output_path: '/out',
    output_glob: ['*.vcf'],
    runtime_constraints: { ram: 1, vcpus: 1 },
    ...change,
  }) as ContainerRequest;
const mounts = (more: Mounts): Mounts => ({ ...request().mounts, ...more });
const hash = (digit: string) => `${digit.repeat(32)}+61` as never;

describe('why the work differs', () => {
  it.each<[string | undefined, Partial<ContainerRequest>]>([
    [undefined, {}],
    [undefined, { runtime_constraints: { ram: 2 ** 30, vcpus: 8 } }],
    [undefined, { mounts: mounts({ '/out': { kind: 'tmp', capacity: 99 } }) }],
    ['command changed: "0.1" → "0.01"', { command: ['call', '-P', '0.01'] }],
    ['command changed: "" → "-v"', { command: ['call', '-P', '0.1', '-v'] }],
    ['command changed: fewer arguments', { command: ['call', '-P'] }],
    ['text of /cfg changed', { mounts: mounts({ '/cfg': { kind: 'text', content: 'b' } }) }],
    ['input changed', { mounts: mounts({ '/keep': { kind: 'collection', portable_data_hash: hash('a') } }) }],
    ['inputs changed', { mounts: { '/out': { kind: 'tmp', capacity: 10 } } }],
    ['environment changed: THREADS', { environment: { THREADS: '4' } }],
    ['environment changed', { environment: {} }],
    ['cwd changed', { cwd: '/tmp' }],
    ['output_path changed', { output_path: '/o' }],
    ['output_glob changed', { output_glob: [] }],
    ['image changed: hallmark/host → base:1', { container_image: 'base:1', command: ['other'] }],
  ])('is %j', async (reason, change) => {
    expect(await explainDifference(kit.api, request(), request(change))).toBe(reason);
  });

  it('names what changed in a context, a base or an input', async () => {
    const collection = async (files: Record<string, string>) => {
      const { portable_data_hash } = await kit.collection(files);
      return { kind: 'collection', portable_data_hash } as const;
    };
    const one = await collection({ Dockerfile: 'FROM a', 'bin/x': '1' });
    const two = await collection({ Dockerfile: 'FROM b', 'bin/x': '1' });
    const three = await collection({ Dockerfile: 'FROM b', 'bin/y': '1' });
    const change = (before: Mounts, now: Mounts) =>
      explainDifference(kit.api, request({ mounts: before }), request({ mounts: now }));
    expect(await change({ '/': one }, { '/': two })).toBe('context changed: Dockerfile');
    expect(await change({ '/': one }, { '/': three })).toBe('context changed: Dockerfile and 2 more');
    expect(await change({ '/keep/a': one }, { '/keep/a': two })).toBe('input changed: Dockerfile');
    expect(await change({ '/FROM/a:1': one }, { '/FROM/a:1': { ...one, portable_data_hash: hash('0') } })).toBe(
      'base a:1 changed',
    );
    const tree = (commit: string) => ({ kind: 'git_tree', url: 'https://git.example/a.git', commit }) as const;
    expect(await change({ '/': tree('a'.repeat(40)) }, { '/': tree('b'.repeat(40)) })).toBe(
      'context changed: commit aaaaaaaaaaaa → bbbbbbbbbbbb',
    );
  });

  it('is the image only where its content is another', async () => {
    const [one, two] = [await kit.image('tool:1', 'a'), await kit.image('tool:1', 'b')];
    const same = await kit.collection({ [`sha256:${'a'.repeat(64)}.tar`]: 'another archive of it' });
    const using = ({ portable_data_hash }: typeof one) => request({ container_image: portable_data_hash });
    expect(await explainDifference(kit.api, using(one), using(two))).toBe('image changed: aaaaaaaaaaaa → bbbbbbbbbbbb');
    expect(await explainDifference(kit.api, using(one), using(same))).toBeUndefined();
    const gone = request({ container_image: hash('0') });
    expect(await explainDifference(kit.api, gone, using(one))).toBe(`image changed: ${hash('0')} → aaaaaaaaaaaa`);
  });
});
