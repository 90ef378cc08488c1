import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith, environment, probeEngine } from '../contract/engines.ts';
import { createRunner, type ImageArchive, type Runner, startToolsRegistry, takeImageOut } from './runner.ts';

let runner: Runner;
let archives: { readonly pulled: ImageArchive; readonly built: ImageArchive };

/** One image pulled and one built by a run, taken out of Keep. */
beforeAll(async () => {
  runner = createRunner('archives');
  const registry = await startToolsRegistry();
  runner.write(
    'tool.cwl',
    `
cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement:
    dockerFile: |
      FROM ${registry.tools}
      RUN echo made by a build > /made; mkdir /d; chmod 700 /d; ln -s made /link
      ENV GREETING=hello
    dockerImageId: built
baseCommand: [cat, /made]
inputs: []
outputs: []
`,
  );
  const { exitCode, stderr } = await runner.run(['tool.cwl']);
  await registry.close();
  if (exitCode !== 0) throw new Error(stderr);
  archives = { pulled: await takeImageOut(runner, 'pull'), built: await takeImageOut(runner, 'build') };
}, 120_000);
afterAll(() => runner.remove());

it('are loaded from a folder too, with a word on an image without a name', async () => {
  const folder = join(runner.folder, 'unpacked');
  mkdirSync(folder);
  execFileSync('tar', ['-C', folder, '-xf', archives.built.path]);
  const { exitCode, stdout, stderr } = await runner.run(['image', 'load', folder]);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: 'the archive names no image: --name REPO:TAG gives it one\n',
  });
  expect(stdout.split(' ')[2]).toBe(`${archives.built.imageHash}\n`);
});

const kinds = ['pulled', 'built'] as const;

for (const name of ['docker', 'podman'] as const) {
  describeWith(await probeEngine(name), 'image collections are loaded and run', () => {
    const call = (...args: string[]): string =>
      execFileSync(name, args, { env: environment, stdio: 'pipe' }).toString();

    it.each(kinds)('%s', { timeout: 60_000 }, (kind) => {
      const { path, imageHash } = archives[kind];
      call('load', '--input', path);
      expect(call('image', 'inspect', '--format', '{{.Id}}', imageHash).trim().replace('sha256:', '')).toBe(
        imageHash.replace('sha256:', ''),
      );
      const script = kind === 'built' ? 'cat /link; echo $GREETING' : 'cat /etc/group';
      const said = call('run', '--rm', '--network', 'none', '--pull', 'never', imageHash, 'sh', '-c', script);
      expect(said).toContain(kind === 'built' ? 'made by a build\nhello\n' : 'workers');
      call('rmi', '--force', imageHash);
    });
  });
}

const hasSkopeo = spawnSync('skopeo', ['--version']).error === undefined;

describe.skipIf(!hasSkopeo)(`skopeo${hasSkopeo ? '' : ' (skipped: the package skopeo is not installed)'}`, () => {
  const inspect = (...args: string[]): Buffer => execFileSync('skopeo', ['inspect', ...args], { stdio: 'pipe' });

  it.each(kinds)('agrees on the configuration of the image that was %s, and on its layers', (kind) => {
    const { path, imageHash } = archives[kind];
    const config = inspect('--config', '--raw', `docker-archive:${path}`);
    expect(`sha256:${createHash('sha256').update(config).digest('hex')}`).toBe(imageHash);
    const manifest = JSON.parse(inspect('--raw', `docker-archive:${path}`).toString());
    expect(manifest.config.digest).toBe(imageHash);
    const { diff_ids } = (JSON.parse(config.toString()) as { rootfs: { diff_ids: string[] } }).rootfs;
    expect(manifest.layers).toHaveLength(diff_ids.length);
    expect(JSON.parse(inspect(`docker-archive:${path}`).toString())).toMatchObject({ Os: 'linux' });
  });

  it.each(kinds)('copies the image that was %s, reading and checking every layer', (kind) => {
    const { path, imageHash } = archives[kind];
    const copy = join(runner.folder, `${kind}-layout`);
    execFileSync('skopeo', ['copy', '--insecure-policy', `docker-archive:${path}`, `oci:${copy}:x`], { stdio: 'pipe' });
    const config = JSON.parse(inspect('--config', `oci:${copy}:x`).toString());
    expect(config.rootfs.diff_ids).toHaveLength(kind === 'built' ? 2 : 1);
    expect(imageHash).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
