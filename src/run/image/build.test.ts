import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCode } from '../../../test/fakes/job-kit.ts';
import { createRunKit, type Files, imageEnding, type RunKit } from '../../../test/fakes/run-kit.ts';
import type { JsonObject } from '../../core/json.ts';
import { cwlError } from '../../cwl/errors.ts';
import type { Requirement } from '../../cwl/model.ts';
import type { ImageServices } from './port.ts';
import { imageBuildClass } from './requirement.ts';
import { createImageResolver } from './resolve.ts';

let kit: RunKit;
beforeEach(async () => {
  kit = await createRunKit();
});
afterEach(() => kit.close());

const position = { file: 'file:///home/ada/tool.cwl', line: 7, column: 5 };
const build = (fields: JsonObject): Requirement => ({ class: imageBuildClass, fields, position });
const docker = (text: string, more: JsonObject = {}): Requirement => ({
  class: 'DockerRequirement',
  fields: { dockerFile: text, ...more },
  position,
});

/** Resolves with a cluster whose builds give image `c` and pulls image `b`. */
async function resolve(from: Requirement | undefined, hint?: Requirement, more: Partial<ImageServices> = {}) {
  kit.startEngine(({ command }) =>
    command[1] === 'pull' ? imageEnding(command[2] ?? '', 'b') : imageEnding('built:1', 'c'),
  );
  const image = await createImageResolver(kit.imageServices(more)).resolve(from, hint);
  const requests = await kit.requests();
  return { image, requests, built: requests.find(({ command }) => command[1] === 'build') };
}

async function context(files: Files): Promise<JsonObject> {
  const folder = join(kit.folder, 'tools');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return { class: 'Directory', location: pathToFileURL(folder).href };
}

describe('the request of a build', () => {
  it('holds the text, the arguments and the base, and nothing else', async () => {
    const base = await kit.image('debian:12', 'a');
    const text = 'ARG V\nFROM debian:12\nARG V\nRUN install $V\n';
    const { image, built, requests } = await resolve(
      docker(text, { dockerImageId: 'tool:1' }),
      build({ buildArgs: { V: '7' } }),
    );
    expect(requests).toHaveLength(1);
    expect(built).toMatchObject({
      name: 'build tool:1',
      container_image: 'arvados/builtin',
      command: ['docker', 'build'],
      cwd: '/',
      output_path: '/',
      environment: { V: '7' },
      runtime_constraints: { API: true },
      use_existing: true,
    });
    expect(built?.mounts).toEqual({
      '/Dockerfile': { kind: 'text', content: text },
      '/FROM/debian:12': { kind: 'collection', portable_data_hash: base.portable_data_hash },
    });
    expect(image).toMatchObject({ reference: 'tool:1', request: built?.uuid });
  });

  it('says what a trace needs: hash and place of the text, and the work tree', async () => {
    await kit.image('debian:12', 'a');
    const text = 'FROM debian:12\n';
    const asked: string[][] = [];
    const gitFacts = async (...source: string[]) => {
      asked.push(source);
      return { 'arv:gitCommit': 'abc', 'arv:gitStatus': ' M Dockerfile' } as const;
    };
    const { built } = await resolve(docker(text), undefined, { gitFacts });
    expect(asked).toEqual([['/home/ada', 'document']]);
    expect(built?.properties).toEqual({
      'hm:run': 'the run',
      'hm:dockerfileSha256': createHash('sha256').update(text).digest('hex'),
      'hm:document': 'file:///home/ada/tool.cwl',
      'arv:gitCommit': 'abc',
      'arv:gitStatus': ' M Dockerfile',
    });
  });

  it('comes after a pull of its own for each base that Keep lacks', async () => {
    const base = await kit.image('debian:12', 'a');
    const { built, requests } = await resolve(docker('FROM tool:1 AS t\nFROM debian:12\nCOPY --from=t /a /a\n'));
    expect(requests.map(({ name }) => name)).toEqual(['docker pull tool:1', 'build Dockerfile of tool.cwl']);
    const pulled = await kit.api.get('containers', requests[0]?.container_uuid as never);
    expect(built?.mounts).toMatchObject({
      '/FROM/tool:1': { portable_data_hash: pulled.output },
      '/FROM/debian:12': { portable_data_hash: base.portable_data_hash },
    });
  });

  it('needs no base for scratch', async () => {
    const { built } = await resolve(docker('FROM scratch\nENV A=1\n'));
    expect(Object.keys(built?.mounts ?? {})).toEqual(['/Dockerfile']);
  });

  it('mounts the context at /, the Dockerfile within', async () => {
    const given = await context({ 'docker/Tool': 'FROM scratch\nCOPY bin /bin\n', 'bin/tool': '#!/bin/sh\n' });
    const asked: string[][] = [];
    const { built } = await resolve(
      undefined,
      build({ context: given, dockerfile: 'docker/Tool', target: '0', platform: 'linux/amd64' }),
      { gitFacts: async (...source) => void asked.push(source) },
    );
    expect(built?.command).toEqual(['docker', 'build', '--target', '0', '--platform', 'linux/amd64', '/docker/Tool']);
    const mount = built?.mounts['/'];
    expect(Object.keys(built?.mounts ?? {})).toEqual(['/']);
    const page = await kit.api.list('collections', {
      filters: [['portable_data_hash', '=', mount?.kind === 'collection' ? mount.portable_data_hash : '']],
      select: ['manifest_text'],
    });
    expect(page.items[0]?.manifest_text).toMatch(/^\.\/bin .*:tool\n\.\/docker .*:Tool\n$/);
    expect(asked).toEqual([[join(kit.folder, 'tools'), 'folder']]);
  });

  it('takes a folder of a collection as its context', async () => {
    const { portable_data_hash } = await kit.collection({ 'src/Dockerfile': 'FROM scratch\nENV A=1\n' });
    const { built } = await resolve(undefined, build({ context: `keep:${portable_data_hash}/src` }));
    expect(built).toMatchObject({
      command: ['docker', 'build'],
      mounts: { '/': { kind: 'collection', portable_data_hash, path: 'src' } },
    });
  });

  it('is one for equal instructions, whatever they are called and wherever they stand', async () => {
    kit.startEngine(() => imageEnding('built:1', 'c'));
    const images = createImageResolver(kit.imageServices());
    const text = 'FROM scratch\nENV A=1\n';
    const elsewhere = { ...docker(text, { dockerImageId: 'other' }), position: { ...position, line: 99 } };
    const [first, second] = await Promise.all([
      images.resolve(docker(text, { dockerImageId: 'one' }), undefined),
      images.resolve(elsewhere, undefined),
    ]);
    expect(second).toEqual(first);
    expect(await kit.requests()).toHaveLength(1);
  });

  it('takes the container of an equal earlier request, unless reuse is off', async () => {
    const text = 'FROM scratch\nENV A=1\n';
    const { built } = await resolve(docker(text));
    await createImageResolver(kit.imageServices()).resolve(docker(text), undefined);
    await createImageResolver(kit.imageServices({ reuse: false })).resolve(docker(text), undefined);
    const containers = (await kit.requests()).map(({ container_uuid }) => container_uuid);
    expect(containers.slice(0, 2)).toEqual([built?.container_uuid, built?.container_uuid]);
    expect(containers[2]).not.toBe(built?.container_uuid);
  });
});

describe('a context in a repository', () => {
  const commit = 'c0ffee'.repeat(7).slice(0, 40);
  const git: ImageServices['git'] = {
    resolveRef: async (_repository, ref) => (ref === 'v2' ? commit : Promise.reject(new Error(`no ${ref}`))),
    readFile: async (_tree, path) => (path === 'tools/Dockerfile' ? 'FROM scratch\nCOPY a /\n' : undefined),
  };

  it('is pinned to the commit that its branch or tag names now', async () => {
    const hint = build({ context: 'https://git.example/repo.git#v2:tools' });
    const { built } = await resolve(undefined, hint, { git });
    expect(built).toMatchObject({
      command: ['docker', 'build'],
      mounts: { '/': { kind: 'git_tree', url: 'https://git.example/repo.git', commit, path: 'tools' } },
    });
  });

  it('names a Dockerfile that the commit does not have', async () => {
    const hint = build({ context: 'https://git.example/repo.git#v2' });
    await expect(resolve(undefined, hint, { git })).rejects.toMatchObject({
      code: 'run/bad-requirement',
      message: 'expected a Dockerfile of at most 1 MiB at Dockerfile in the build context, got none',
    });
  });
});

describe('a build that cannot start', () => {
  const fails = (hint: JsonObject) => expect(resolve(undefined, build(hint))).rejects;

  it('names a Dockerfile that is not in the context', async () => {
    const given = await context({ 'bin/tool': '' });
    await fails({ context: given }).toMatchObject({
      code: 'run/bad-requirement',
      message: 'expected a Dockerfile of at most 1 MiB at Dockerfile in the build context, got none',
      hint: 'set dockerfile of hm:ImageBuild to its path in the context',
      where: position,
    });
  });

  it.each<[string, string]>([
    ['a folder', 'file:///home'],
    ['a repository', 'file:///home/repo.git'],
  ])('keeps to what documents may read: %s', async (what, uri) => {
    const checkReach = (asked: string) =>
      Promise.reject(cwlError('cwl/fetch-refused', `reading ${asked} is not allowed`, { hint: 'allow it' }));
    const given = what === 'a folder' ? { class: 'Directory', location: uri } : uri;
    await expect(resolve(undefined, build({ context: given }), { checkReach })).rejects.toMatchObject({
      code: 'run/bad-requirement',
      message: `context of hm:ImageBuild: reading ${uri} is not allowed`,
      hint: 'allow it',
      where: position,
    });
  });

  it('names one that is too long', async () => {
    const given = await context({ Dockerfile: '#'.repeat(2 ** 20 + 1) });
    await fails({ context: given }).toEqual(withCode('run/bad-requirement', /got 1048577 bytes$/));
  });

  it.each(['https://files.example/context.tar', 'ext::sh -c evil', 'ext::sh.git', '--upload-pack=evil', 'tools'])(
    'refuses %s, which is no repository',
    async (text) => {
      await fails({ context: text }).toMatchObject({
        code: 'run/bad-requirement',
        message: `expected a Directory, or a keep: or git URL as context of hm:ImageBuild, got "${text}"`,
        hint: expect.stringContaining('repo.git#ref:subdir'),
        where: position,
      });
    },
  );

  it('names a repository that cannot be read', async () => {
    await fails({ context: 'https://git.example/repo.git#main' }).toMatchObject({ message: 'no git here' });
  });

  it('names a context that is not there', async () => {
    await fails({ context: { class: 'Directory', location: 'file:///nowhere/at/all' } }).toEqual(
      withCode('run/input-missing', /^context of hm:ImageBuild: cannot read input \/nowhere\/at\/all: ENOENT/),
    );
    await fails({ context: `keep:${'0'.repeat(32)}+61` }).toEqual(
      withCode('run/input-missing', /^no collection on this cluster has the content 0{32}\+61$/),
    );
  });

  it('gives the line of a mistake in the Dockerfile before anything runs', async () => {
    await expect(resolve(docker('FROM scratch\nRUNN true\n'))).rejects.toMatchObject({
      code: 'image/bad-dockerfile',
      where: { file: 'Dockerfile of tool.cwl', line: 2 },
    });
    const given = await context({ 'docker/Tool': 'FROM scratch\nRUNN true\n' });
    await fails({ context: given, dockerfile: 'docker/Tool' }).toMatchObject({
      where: { file: join(kit.folder, 'tools/docker/Tool'), line: 2 },
    });
    expect(await kit.requests()).toEqual([]);
  });

  it('passes on a base that cannot be had', async () => {
    await expect(resolve(docker('FROM debian:12\n'), undefined, { pull: 'never' })).rejects.toEqual(
      withCode('run/image-not-found', /^image debian:12 is not in Keep/),
    );
  });
});

it('gives the end of the stderr of a build that fails', async () => {
  kit.startEngine(() => ({ exitCode: 1, stderr: 'Dockerfile:2: RUN false: exit code 1\n' }));
  const images = createImageResolver(kit.imageServices());
  await expect(
    images.resolve(docker('FROM scratch\nRUN false\n', { dockerImageId: 'tool:1' }), undefined),
  ).rejects.toEqual(
    withCode('run/image-request-failed', /^build of tool:1 failed: exit code 1\n {2}\| Dockerfile:2: RUN false/),
  );
});
