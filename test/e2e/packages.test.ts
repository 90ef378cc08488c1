import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLoadableImage } from '../contract/executor-images.ts';
import { toolsLayer } from '../contract/layers.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry.ts';
import { layerOf, tarOf } from '../fakes/registry-images.ts';
import { createRunner, type Runner } from './runner.ts';

const status = (version: string) =>
  `Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: ${version}\n\n`;

const layer = (files: Readonly<Record<string, string>>) =>
  layerOf(tarOf(Object.entries(files).map(([path, text]) => ({ path, text }))));

const tool = (image: string) =>
  `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: [sh, -c, "echo ${image}"]\nrequirements:\n  DockerRequirement: {dockerPull: "${image}"}\ninputs: []\nstdout: out.txt\noutputs: {o: stdout}\n`;

let runner: Runner;
let registry: FakeRegistry;
beforeAll(async () => {
  runner = createRunner('packages');
  registry = await startRegistry();
  const tools = await toolsLayer();
  const release = { 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n' };
  const add = (name: string, files: Readonly<Record<string, string>>) =>
    registry.add(name, '1', toLoadableImage([tools, layer(files)], { Env: ['PATH=/bin'] }).image);
  add('old', { ...release, 'var/lib/dpkg/status': status('3.0.15-1') });
  add('new', { ...release, 'var/lib/dpkg/status': status('3.0.17-1') });
  add('opaque', {});
  for (const name of ['old', 'new', 'opaque']) {
    runner.write(`${name}.cwl`, tool(`${registry.host}/${name}:1`));
    const { exitCode, stderr } = await runner.run(['--outdir', name, `${name}.cwl`]);
    if (exitCode !== 0) throw new Error(stderr);
  }
}, 120_000);
afterAll(async () => {
  await registry.close();
  await runner.remove();
});

describe('the packages behind a result', () => {
  it('are those of the image that it was made in', async () => {
    const { stdout } = await runner.run(['packages', '--json', 'old/out.txt']);
    expect(JSON.parse(stdout)).toMatchObject({
      distribution: { id: 'debian', version: '12' },
      packages: [{ purl: 'pkg:deb/debian/libssl3@3.0.15-1?arch=amd64&distro=debian-12', layer: 1 }],
    });
    expect((await runner.run(['packages', `${registry.host}/old:1`])).stdout).toMatch(
      /^image \S+ \(debian 12\): 1 packages\ndeb +libssl3 3\.0\.15-1 {2}layer 1\n$/,
    );
  });

  it('are a bill of materials for other tools', async () => {
    const { stdout } = await runner.run(['packages', '--cyclonedx', 'old/out.txt']);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 },
      metadata: { component: { type: 'container', version: expect.stringMatching(/^sha256:/) } },
      components: [{ type: 'library', name: 'libssl3', version: '3.0.15-1', purl: expect.stringMatching(/^pkg:deb/) }],
    });
  });

  it('lead to the results of a version, and say where nothing is known', async () => {
    const { stdout, exitCode } = await runner.run(['affected', '--json', '--package', 'openssl<3.0.17']);
    expect(exitCode).toBe(0);
    const { images, asked, unrecorded, runs } = JSON.parse(stdout);
    expect(images).toMatchObject([
      { names: [`${registry.host}/old:1`], found: [{ name: 'libssl3' }], others: [], unknown: [] },
      { names: [`${registry.host}/new:1`], found: [], others: [{ version: '3.0.17-1' }], unknown: [] },
      { names: [`${registry.host}/opaque:1`], found: [], unknown: ['the image has no package database'] },
    ]);
    expect({ asked, unrecorded }).toEqual({ asked: 3, unrecorded: { onHost: 0, imageGone: 0 } });
    expect(runs).toMatchObject([{ name: 'old.cwl', outputs: [{ output: 'o' }] }]);
  });

  it('are not those of an earlier step, where the host itself made the result, nor of one image of a run', async () => {
    runner.write(
      'count.cwl',
      'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: [wc, -c]\ninputs: {i: {type: File, inputBinding: {}}}\nstdout: n.txt\noutputs: {o: stdout}\n',
    );
    expect((await runner.run(['--outdir', 'n', 'count.cwl', '--i', 'old/out.txt'])).exitCode).toBe(0);
    expect(await runner.run(['packages', 'n/n.txt'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^packages: n\/n\.txt was made on the host itself/),
    });
    const [{ uuid }] = JSON.parse((await runner.run(['runs', '--json'])).stdout);
    expect(await runner.run(['packages', uuid])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/is a run, which has several images\n {2}hint: give one of them/),
    });
    const { stdout } = await runner.run(['affected', '--package', 'openssl<3']);
    expect(stdout).toMatch(/^not +\S+old:1, .*libssl3@3\.0\.15/m);
    expect(stdout).toMatch(/^unknown {2}steps on the host itself, whose software no record holds: 1$/m);
    expect(stdout).toMatch(/^asked {4}images in Keep: 3\nnothing that the cluster holds was made with it\n$/m);
  });

  it('are not asked of what is neither an image nor a result', async () => {
    expect(await runner.run(['packages', 'no/such:1'])).toMatchObject({
      exitCode: 1,
      stderr:
        'packages: Keep has no image no/such:1, and it is no result\n  hint: cwl-runner packages IMAGE|FILE|UUID|PDH [--json | --cyclonedx]\n',
    });
  });
});
