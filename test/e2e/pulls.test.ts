import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container } from '../../src/api/records.ts';
import { mediaTypes } from '../../src/image/media-types.ts';
import type { Image } from '../../src/image/model.ts';
import { toolsLayer } from '../contract/layers.ts';
import { hasDebianRegistry, startDebianRegistry } from '../fakes/registry-debian.ts';
import { imageOf, layerOf, tarOf } from '../fakes/registry-images.ts';
import { type PushTarget, pushImage, pushManifest } from '../fakes/registry-push.ts';
import { createRunner, type Runner } from './runner.ts';

const isHere = hasDebianRegistry();
const reason = isHere ? '' : ' (skipped: the package docker-registry is not installed)';

/** The whole way: document, record of the pull, registry with a login, Keep, a container. */
describe.skipIf(!isHere)(`pulls from Debian's docker-registry with basic auth${reason}`, { timeout: 120_000 }, () => {
  let runner: Runner;
  let registry: Awaited<ReturnType<typeof startDebianRegistry>>;
  let target: PushTarget;

  beforeAll(async () => {
    registry = await startDebianRegistry();
    target = { host: registry.host, user: 'ann', password: 'p:w' };
    runner = createRunner('pulls');
    logIn('p:w');
  });
  afterAll(async () => {
    await registry.close();
    await runner.remove();
  });

  /** As `docker login` writes it. */
  function logIn(password: string): void {
    mkdirSync(join(runner.folder, '.docker'), { recursive: true });
    const auth = Buffer.from(`ann:${password}`).toString('base64');
    runner.write('.docker/config.json', JSON.stringify({ auths: { [registry.host]: { auth } } }));
  }

  /** The tools of this machine, and on top a file `/said` per text. */
  async function toImage(...texts: readonly string[]): Promise<Image> {
    const layers = texts.map((text, index) => layerOf(tarOf([{ path: index === 0 ? 'said' : `said${index}`, text }])));
    return imageOf([await toolsLayer(), ...layers], { Env: ['PATH=/bin'] });
  }

  async function run(dockerPull: string, flags: readonly string[] = []) {
    runner.write(
      'tool.cwl',
      `
cwlVersion: v1.2
class: CommandLineTool
requirements: {DockerRequirement: {dockerPull: "${dockerPull}"}}
baseCommand: [cat, /said]
inputs: []
stdout: out.txt
outputs: {said: {type: string, outputBinding: {glob: out.txt, loadContents: true, outputEval: "$(self[0].contents)"}}}
`,
    );
    const { stdout, ...ended } = await runner.run([...flags, 'tool.cwl']);
    return { ...ended, said: stdout === '' ? undefined : (JSON.parse(stdout) as { said: string }).said };
  }

  /** Of all runs so far, newest first. */
  async function pulls(): Promise<readonly Container[]> {
    const page = await runner.withRecords((cluster) =>
      cluster.list('containers', { filters: [['container_image', '=', 'arvados/builtin']] }),
    );
    return page.items;
  }

  it('by tag', async () => {
    const image = await toImage('by tag');
    const { digest } = await pushImage(target, 'team/tools', 'v1', image);
    const name = `${registry.host}/team/tools:v1`;
    expect(await run(name)).toMatchObject({ exitCode: 0, said: 'by tag' });
    const [pull] = await pulls();
    expect(pull).toMatchObject({
      command: ['docker', 'pull', name],
      state: 'Complete',
      output_properties: {
        'docker-image-repo-tag': name,
        'docker-image-hash': image.imageHash,
        'docker-image-digest': digest,
      },
    });
  });

  it('by digest', async () => {
    const image = await toImage('by digest');
    const { digest } = await pushImage(target, 'team/pinned', 'v1', image);
    await pushImage(target, 'team/pinned', 'v1', await toImage('moved'));
    expect(await run(`${registry.host}/team/pinned@${digest}`)).toMatchObject({ exitCode: 0, said: 'by digest' });
    const [pull] = await pulls();
    expect(pull?.output_properties).toMatchObject({ 'docker-image-digest': digest });
  });

  it("this machine's platform of an index", async () => {
    const images = { arm64: await toImage('arm'), amd64: await toImage('here') };
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const manifests = [];
    for (const [name, image] of Object.entries(images)) {
      const descriptor = await pushImage(target, 'team/multi', name, image);
      manifests.push({ ...descriptor, platform: { os: 'linux', architecture: name } });
    }
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    const { digest } = await pushManifest(target, 'team/multi', 'all', mediaTypes.ociIndex, index);
    expect(await run(`${registry.host}/team/multi:all`)).toMatchObject({ exitCode: 0 });
    const [pull] = await pulls();
    expect(pull?.output_properties).toMatchObject({
      'docker-image-hash': images[architecture].imageHash,
      'docker-image-digest': digest,
    });
  });

  it('a moved tag with --pull=newer: its new layers alone, and nothing while it stays', async () => {
    const name = `${registry.host}/team/moving:latest`;
    await pushImage(target, 'team/moving', 'latest', await toImage('first'));
    expect(await run(name)).toMatchObject({ exitCode: 0, said: 'first' });
    const before = (await pulls()).length;

    expect(await run(name, ['--pull=newer'])).toMatchObject({ exitCode: 0, said: 'first' });
    expect(await pulls()).toHaveLength(before);

    const moved = await toImage('first', 'second');
    await pushImage(target, 'team/moving', 'latest', moved);
    expect(await run(name)).toMatchObject({ exitCode: 0, said: 'first' });
    expect(await pulls()).toHaveLength(before);
    expect(await run(name, ['--pull=newer'])).toMatchObject({ exitCode: 0, said: 'first' });
    const [pull, ...earlier] = await pulls();
    expect(earlier).toHaveLength(before);
    expect(pull?.output_properties).toMatchObject({ 'docker-image-hash': moved.imageHash });
    const { stdout: log } = await runner.run(['logs', pull?.uuid ?? '', 'crunch-run.txt']);
    expect(moved.layers.map(({ descriptor }) => toFate(log, descriptor.digest))).toEqual(['kept', 'kept', 'read']);

    expect(await run(name, ['--pull=newer'])).toMatchObject({ exitCode: 0 });
    expect(await pulls()).toHaveLength(before + 1);
  });

  it('fails with a wrong password, and says where to log in', async () => {
    await pushImage(target, 'team/closed', 'v1', await toImage('closed'));
    logIn('wrong');
    const { exitCode, said, stderr } = await run(`${registry.host}/team/closed:v1`);
    logIn('p:w');
    expect({ exitCode, said }).toEqual({ exitCode: 1, said: undefined });
    expect(stderr).toMatch(/team\/closed.*(login|log in|credentials|unauthorized|password)/is);
    expect(stderr).not.toContain(Buffer.from('ann:wrong').toString('base64'));
  });
});

/** What the log of a pull says about one layer. */
function toFate(log: string, digest: string): string {
  const line = log.split('\n').find((each) => each.includes(digest.slice(0, 19)) && !each.endsWith('stored'));
  if (line === undefined) return 'unknown';
  return line.endsWith('Keep has it') ? 'kept' : 'read';
}
