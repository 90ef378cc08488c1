import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { createDockerExecutor } from '../../src/executor/docker/docker.ts';
import { callCli } from '../../src/executor/engine/cli.ts';
import { createRemover } from '../../src/executor/engine/remove.ts';
import { createHostExecutor } from '../../src/executor/host/host.ts';
import { createPodmanExecutor } from '../../src/executor/podman/podman.ts';
import { createGround } from '../../src/executor/sandbox/ground.ts';
import { createSandboxExecutor } from '../../src/executor/sandbox/sandbox.ts';
import { toContainerSpec } from '../fakes/container-spec.ts';
import { toLoadableImage } from './executor-images.ts';
import { file, toLayer } from './layers.ts';

const folder = mkdtempSync(join(tmpdir(), 'executor-errors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spec = toContainerSpec({ id: 'x', scratchDir: folder });

/** A stand-in for the program of an engine: answers as the script says, `$*` being what it was called with. */
function fakeProgram(name: string, script: string) {
  const program = join(mkdtempSync(join(folder, 'bin-')), name);
  writeFileSync(program, `#!/bin/sh\ncase "$*" in\n${script}\nesac\n`);
  chmodSync(program, 0o755);
  return { program, environment: { PATH: '/usr/bin:/bin' } };
}

const fakeDocker = (script: string) => createDockerExecutor(fakeProgram('docker', script));

describe('an engine', () => {
  const image = toLoadableImage([]);

  it('that is not installed is unavailable', async () => {
    const executor = createDockerExecutor({ program: join(folder, 'none'), environment: {} });
    await expect(executor.runtime()).rejects.toMatchObject({
      code: 'executor/unavailable',
      message: expect.stringContaining('is not installed'),
      hint: expect.stringContaining('install docker'),
    });
  });

  it('whose daemon does not answer is unavailable, and says why', async () => {
    const executor = fakeDocker('version*) echo "Cannot connect to the Docker daemon" >&2; exit 1;;');
    await expect(executor.runtime()).rejects.toMatchObject({
      code: 'executor/unavailable',
      message: 'docker does not answer: Cannot connect to the Docker daemon',
    });
  });

  it('that refuses an archive fails to load it', async () => {
    const executor = fakeDocker('image*) exit 1;;\nload*) cat >/dev/null; echo "invalid tar header" >&2; exit 1;;');
    await expect(executor.loadImage(image)).rejects.toMatchObject({
      code: 'executor/load-failed',
      message: expect.stringContaining('invalid tar header'),
    });
  });

  it('whose disk is full says so', async () => {
    const executor = fakeDocker(
      'image*) exit 1;;\nload*) cat >/dev/null; echo "write: no space left on device" >&2; exit 1;;',
    );
    await expect(executor.loadImage(image)).rejects.toMatchObject({ code: 'executor/no-space' });
  });

  it('asks for no archive of an image that it has', async () => {
    const executor = fakeDocker('image*) exit 0;;');
    const loaded = await executor.loadImage({
      ...image,
      openArchive: async () => Readable.from([]).destroy(new Error('asked')),
    });
    expect(loaded.reference).toBe(image.image.imageHash);
  });

  const dockerImage = { executor: 'docker', reference: 'x', environment: [], workingDir: '/', entrypoint: [] } as const;
  const running = '{"Running":true,"StartedAt":"2026-11-22T00:00:00Z"}';
  const ended = '{"ExitCode":137,"StartedAt":"2026-11-22T00:00:00Z"}';

  it.each([
    ['dies', 'exit 1', /docker stopped answering while the container hallmark-x ran$/],
    [
      'has no container any more',
      '{ echo "No such container" >&2; exit 1; }',
      /docker has no container hallmark-x any more: somebody removed it$/,
    ],
    ['ends a container when it comes back', `echo 'id ${ended}'`, /docker lost the container hallmark-x while it/],
    ['leaves a container alone', `echo 'id ${running}'`, /docker left the container .*: its program ended with 125$/],
  ])('that %s has lost it', async (_what, inspect, message) => {
    const state = join(mkdtempSync(join(folder, 'state-')), 'dead');
    const executor = fakeDocker(
      `container*) [ -e ${state} ] && ${inspect} || { [ -e ${state} ] || echo 'id ${running}'; };;\nrun*) sleep 1.2; : > ${state}; exit 125;;`,
    );
    const container = await executor.start(dockerImage, spec);
    await expect(container.exit).rejects.toMatchObject({
      code: 'executor/engine-lost',
      retryable: true,
      message: expect.stringMatching(message),
    });
    await container.close();
  });

  it('that does not answer in time is lost', async () => {
    const cli = { ...fakeProgram('docker', 'ps*) exec sleep 600;;'), globalArgs: [], hint: 'wake it' };
    await expect(callCli(cli, ['ps', '--all'], { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'executor/engine-lost',
      message: expect.stringMatching(/docker does not answer: "ps --all" took/),
    });
  });

  it('that loses an image which it had is asked for it again after a start that failed', async () => {
    const gone = join(mkdtempSync(join(folder, 'state-')), 'gone');
    const executor = fakeDocker(
      `container*) exit 1;;\nimage*) [ ! -e ${gone} ];;\nload*) cat >/dev/null; rm ${gone};;\nrun*) : > ${gone}; exit 125;;`,
    );
    const loaded = await executor.loadImage(image);
    await expect(executor.start(loaded, spec)).rejects.toMatchObject({ code: 'executor/image-gone' });
    expect(existsSync(gone)).toBe(true);
    await executor.loadImage(image);
    expect(existsSync(gone)).toBe(false);
  });

  it('removes containers that end together by few calls, and each of them', async () => {
    const log = join(mkdtempSync(join(folder, 'state-')), 'removed');
    const cli = { ...fakeProgram('podman', `rm*) echo "$*" >> ${log}; sleep 0.1;;`), globalArgs: [], hint: '' };
    const { remove } = createRemover({ ...cli, removeArgs: ['--ignore'] });
    await remove('first');
    await Promise.all(['a', 'b', 'c', 'd'].map(remove));
    const calls = readFileSync(log, 'utf8').trim().split('\n');
    expect(calls).toEqual(['first', 'a', 'b c d'].map((names) => `rm --force --volumes --ignore ${names}`));
  });

  it('gathers containers to remove while others start, up to a number', async () => {
    const log = join(mkdtempSync(join(folder, 'state-')), 'removed');
    const cli = { ...fakeProgram('podman', `rm*) echo "$*" >> ${log};;`), globalArgs: [], hint: '' };
    const { remove, starting } = createRemover(cli, 3);
    const hasStarted = starting();
    const removed = Promise.all(['a', 'b'].map(remove));
    await Promise.all([remove('c'), removed]);
    const left = remove('d');
    expect(await Promise.race([left, new Promise((resolve) => setTimeout(resolve, 300, 'waits'))])).toBe('waits');
    hasStarted();
    await left;
    const calls = readFileSync(log, 'utf8').trim().split('\n');
    expect(calls).toEqual(['a b c', 'd'].map((names) => `rm --force --volumes ${names}`));
  });

  it('with a daemon that went away is asked again, and given time to come back', async () => {
    const state = mkdtempSync(join(folder, 'state-'));
    const [away, asked] = [join(state, 'away'), join(state, 'asked')];
    const refuse = `{ echo "Cannot connect to the Docker daemon" >&2; exit 1; }`;
    const executor = fakeDocker(
      [
        `version*) echo x >> ${asked}; [ ! -e ${away} ] || { rm ${away}; exit 1; }; echo 28.0.1;;`,
        `image*) [ ! -e ${away} ] || ${refuse};;`,
        `run*) : > ${away}; ${refuse};;`,
        `container*) ${refuse};;`,
      ].join('\n'),
    );
    const count = () => readFileSync(asked, 'utf8').length / 2;
    await executor.runtime();
    expect(await executor.runtime()).toBe('docker 28.0.1');
    expect(count()).toBe(1);
    const loaded = await executor.loadImage(image);
    await expect(executor.start(loaded, spec)).rejects.toMatchObject({
      code: 'executor/engine-lost',
      message: expect.stringContaining('docker does not answer: Cannot connect to the Docker daemon'),
      retryable: true,
    });
    await expect(executor.loadImage(image)).rejects.toMatchObject({ code: 'executor/engine-lost', retryable: true });
    expect(await executor.runtime()).toBe('docker 28.0.1');
    expect(count()).toBe(3);
    expect(await executor.loadImage(image)).toEqual(loaded);
  });

  it('whose image was removed meanwhile says so', async () => {
    const executor = fakeDocker('container*) exit 1;;\nimage*) exit 1;;\nrun*) echo "No such image" >&2; exit 125;;');
    await expect(executor.start(dockerImage, spec)).rejects.toMatchObject({
      code: 'executor/image-gone',
      retryable: true,
      message: expect.stringMatching(/docker has no image x any more$/),
    });
  });

  it('that cannot start a container fails to, and says why', async () => {
    const executor = fakeDocker(
      `container*) echo 'id {"StartedAt":"0001-01-01T00:00:00Z","ExitCode":128,"Error":"mounts denied"}';;\nrun*) exit 125;;`,
    );
    await expect(executor.start(dockerImage, spec)).rejects.toMatchObject({
      code: 'executor/start-failed',
      message: expect.stringContaining('mounts denied'),
    });
  });

  const podmanImage = { executor: 'podman', reference: 'x', environment: [], workingDir: '/', entrypoint: [] } as const;

  it.each([
    [
      'crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied',
      /default_ulimits = .*\[containers\]/,
    ],
    ['crun: unknown version specified', /runtime = "runc" under \[engine\]/],
    ['runc: unable to apply cgroup configuration: dial unix /run/systemd/private', /cgroup_manager = "cgroupfs"/],
    ['cannot set up namespace using "/usr/bin/newuidmap": exit status 1', /\/etc\/subuid/],
    ['/usr/bin/slirp4netns failed: open("/dev/net/tun"): Permission denied', /netns = "host" under \[containers\]/],
    ['default OCI runtime "crun" not found: invalid argument', /install crun or runc/],
    ['no one knows', /by hand/],
  ])('that refuses a container is quoted, with the cure: %s', async (message, hint) => {
    const script = `container*) exit 125;;\nrun*) echo first >&2; echo 'Error: ${message}' >&2; exit 126;;`;
    const executor = createPodmanExecutor(fakeProgram('podman', script));
    const stderr = join(folder, 'stderr.txt');
    for (const target of [{ kind: 'ignore' }, { kind: 'file', path: stderr }] as const) {
      await expect(executor.start(podmanImage, { ...spec, stderr: target })).rejects.toMatchObject({
        code: 'executor/start-failed',
        message: expect.stringMatching(/podman did not start the container: [^;]*$/),
        hint: expect.stringMatching(hint),
      });
    }
    expect(readFileSync(stderr, 'utf8')).toBe(`first\nError: ${message}\n`);
  });
});

describe('the host', () => {
  it('starts no command that is empty', async () => {
    const executor = createHostExecutor();
    const loaded = await executor.loadImage(toLoadableImage([]));
    await expect(executor.start(loaded, { ...spec, command: [] })).rejects.toMatchObject({
      code: 'executor/start-failed',
    });
  });

  it.each([
    ['stdin', { stdin: '/no/such/file' }],
    ['stdout', { stdout: { kind: 'file', path: '/no/such/folder/file' } }],
  ] as const)('starts nothing without its %s', async (_name, change) => {
    const executor = createHostExecutor();
    const loaded = await executor.loadImage(toLoadableImage([]));
    await expect(executor.start(loaded, { ...spec, ...change })).rejects.toMatchObject({
      code: 'executor/start-failed',
    });
  });
});

describe('the sandbox', () => {
  const failing = join(import.meta.dirname, 'executor-failing.ts');
  const inNamespace = (script: string, home: string): string =>
    execFileSync(
      'unshare',
      ['--user', '--map-root-user', '--mount', 'sh', '-ec', script, process.execPath, failing, home],
      {
        encoding: 'utf8',
      },
    );

  it('says what to do where no user namespace can be made', () => {
    const script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" "$@"';
    const said = inNamespace(script, mkdtempSync(join(folder, 'home-')));
    expect(said).toMatch(/^executor\/no-user-namespaces: .*\(as root, allow them: sysctl user.max_user_namespaces/);
  });

  it('says that no space is left, and keeps no half of a layer', () => {
    const home = mkdtempSync(join(folder, 'home-'));
    const script = `mount -n -t tmpfs -o size=1m tmpfs "$2"; "$0" "$@"; find "$2" -path '*layers/*' | wc -l`;
    expect(inNamespace(script, home)).toMatch(/^executor\/no-space: no space left while extracting layer .*\n0\n$/);
  });

  it('refuses a layer whose bytes are not what they should be', async () => {
    const ground = createGround({ home: mkdtempSync(join(folder, 'home-')) });
    const good = await toLayer([file('a', 'good')]);
    const bad = { ...good, open: async () => (await toLayer([file('a', 'evil')])).open() };
    await expect(createSandboxExecutor(ground).loadImage(toLoadableImage([bad]))).rejects.toMatchObject({
      code: 'image/digest-mismatch',
    });
    await (await (await ground()).namespace()).close();
  });
});
