import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLoadableImage } from '../contract/executor-images.ts';
import { toolsLayer } from '../contract/layers.ts';
import { hasOneId } from '../contract/one-id.ts';
import { createRunner, type Runner, startToolsRegistry } from './runner.ts';

/** Flags that concern containers, with the default executor; what each executor makes of them is in test/contract/executor-settings.ts. */
let runner: Runner;
let registry: Awaited<ReturnType<typeof startToolsRegistry>>;

const tool = (image: string, script: string): string => `
cwlVersion: v1.2
class: CommandLineTool
hints: {DockerRequirement: {dockerPull: "${image}"}}
requirements:
  NetworkAccess: {networkAccess: true}
  ResourceRequirement: {ramMin: 32, coresMin: 1}
baseCommand: [sh, -c, ${JSON.stringify(script)}]
inputs: []
outputs: {out: {type: string, outputBinding: {glob: out, loadContents: true, outputEval: '$(self[0].contents)'}}}
stdout: out
`;

beforeAll(async () => {
  runner = createRunner('container-flags');
  registry = await startToolsRegistry();
  registry.add('user', '1', toLoadableImage([await toolsLayer()], { Env: ['PATH=/bin'], User: '7:8' }).image);
  const user = `${registry.host}/user:1`;
  runner.write('user.cwl', tool(user, 'id -u; id -g'));
  runner.write('write.cwl', tool(user, '(echo x > /new) 2>/dev/null && echo written || echo refused'));
  runner.write('network.cwl', tool(user, 'cat /proc/net/dev'));
  runner.write('memory.cwl', tool(user, 'x=aaaaaaaa; while :; do x=$x$x; done'));
  runner.write('where.cwl', tool(user, 'ls /etc/passwd').replace(/^hints.*$/m, ''));
}, 120_000);
afterAll(async () => {
  await registry.close();
  await runner.remove();
});

async function run(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await runner.run(['--outdir', 'o', '--disable-reuse', ...args]);
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout).out;
}

describe('flags of containers', () => {
  it.skipIf(hasOneId)('--no-match-user: the user that the image names', async () => {
    expect(await run('--no-match-user', 'user.cwl')).toBe('7\n8\n');
    expect(await run('--match-user', 'user.cwl')).not.toBe('7\n8\n');
  });

  it('--read-only, --no-read-only', async () => {
    expect(await run('--read-only', 'write.cwl')).toBe('refused\n');
    expect(await run('--no-read-only', 'write.cwl')).toBe('written\n');
  });

  const canJoin = process.getuid?.() === 0 && spawnSync('unshare', ['--version']).status === 0;
  it.runIf(canJoin)('--custom-net', async () => {
    const name = `hallmark-test-${process.pid}`;
    const path = join('/run/netns', name);
    execFileSync('mkdir', ['-p', '/run/netns']);
    closeSync(openSync(path, 'w'));
    execFileSync('unshare', [`--net=${path}`, 'true']);
    try {
      const interfaces = async (...args: string[]) => (await run(...args, 'network.cwl')).match(/^ *\w+:/gm)?.length;
      expect(await interfaces('--custom-net', name)).toBe(1);
      expect(await interfaces()).toBeGreaterThan(1);
    } finally {
      execFileSync('umount', [path]);
      rmSync(path);
    }
  });

  it('--strict-memory-limit: always on', async () => {
    const { exitCode, stderr } = await runner.run(['--strict-memory-limit', 'memory.cwl']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('ran out of memory: the limit is 32.0 MiB');
  });

  it('--default-container', async () => {
    expect(await run('--default-container', `${registry.host}/user:1`, 'where.cwl')).toBe('/etc/passwd\n');
  });

  it('--disable-pull, --enable-pull, --force-docker-pull', async () => {
    const pulls = () => registry.seen.length;
    const home = { env: { HALLMARK_HOME: join(runner.folder, 'other') } };
    execFileSync('mkdir', ['-p', home.env.HALLMARK_HOME]);
    const disabled = await runner.run(['--disable-pull', 'user.cwl'], home);
    expect(disabled).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/pull/) });
    expect((await runner.run(['--enable-pull', 'user.cwl'], home)).exitCode).toBe(0);
    const before = pulls();
    await runner.run(['user.cwl'], home);
    expect(pulls()).toBe(before);
    await runner.run(['--force-docker-pull', 'user.cwl'], home);
    expect(pulls()).toBeGreaterThan(before);
  });

  it.each(['docker', 'podman', 'singularity'])('--%s chooses the executor', async (name) => {
    const program = name === 'singularity' ? 'apptainer' : name;
    const env = { PATH: '/nowhere' };
    const { exitCode, stderr } = await runner.run([`--${name}`, 'user.cwl'], { env });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(program) });
  });
});
