import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildRoot, BuildSandbox, RunSpec } from '../../src/image/build/port.ts';
import type { Layer } from '../../src/image/model.ts';
import { directory, file, readMembers, symlink, toLayer, toolsLayer } from './layers.ts';
import { hasOneId } from './one-id.ts';

const clampSeconds = 1_500_000_000;

export interface BuildSandboxSubject {
  readonly sandbox: BuildSandbox;
  close?(): Promise<void>;
}

export interface BuildSandboxSuiteOptions {
  /** Commands are real processes: the tests of networks, background processes and signals apply. */
  readonly isReal: boolean;
}

/** The contract of `BuildSandbox` in src/image/build/port.ts. Scripts keep to what `test/fakes/build-sandbox.ts` understands. */
export function describeBuildSandbox(
  name: string,
  open: () => Promise<BuildSandboxSubject>,
  options: BuildSandboxSuiteOptions,
): void {
  describe(`build sandbox: ${name}`, () => {
    let subject: BuildSandboxSubject;
    let tools: Layer;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'build-sandbox-'));
      tools = await toolsLayer();
      subject = await open();
    });
    afterAll(async () => {
      await subject?.close?.();
      rmSync(folder, { recursive: true, force: true });
    });

    async function withRoot<T>(work: (root: BuildRoot) => Promise<T>, upper: readonly Layer[] = []): Promise<T> {
      const root = await subject.sandbox.openRoot([tools, ...upper]);
      try {
        return await work(root);
      } finally {
        await root.close();
      }
    }

    const changesOf = async (root: BuildRoot) => readMembers(await root.changes(clampSeconds));

    async function changesAfter(script: string, upper: readonly Layer[] = []) {
      return withRoot(async (root) => {
        const { code, stderr } = await run(root, script);
        expect([code, stderr]).toEqual([0, '']);
        return changesOf(root);
      }, upper);
    }

    const newFolder = (prefix: string) => mkdtempSync(join(folder, prefix));

    describe('run', () => {
      it.each([
        ['true', 0],
        ['false', 1],
        ['exit 7', 7],
      ])('gives the exit code of %s', async (script, code) => {
        expect((await withRoot((root) => run(root, script))).code).toBe(code);
      });

      it('gives 127 for a command that is not there', async () => {
        expect((await withRoot((root) => run(root, '', { command: ['/no/such/command'] }))).code).toBe(127);
      });

      it('keeps stdout and stderr apart and gives all of both', async () => {
        const result = await withRoot((root) => run(root, 'echo out; echo err >&2; echo end'));
        expect(result).toEqual({ code: 0, stdout: 'out\nend\n', stderr: 'err\n' });
      });

      it('runs the command without a shell of its own', async () => {
        const command = ['/bin/cat', '/etc/group'];
        expect((await withRoot((root) => run(root, '', { command }))).stdout).toContain('workers:x:4321:');
      });

      it('finds a command without a slash on the PATH of the environment', async () => {
        const spec = { command: ['cat', '/etc/group'], environment: { PATH: '/nowhere:/bin' } };
        expect((await withRoot((root) => run(root, '', spec))).stdout).toContain('staff');
      });

      it('gives the environment, and nothing of its own environment', async () => {
        const environment = { PATH: '/bin', GREETING: 'good  day $HOME' };
        const { stdout } = await withRoot((root) => run(root, '', { command: ['/bin/env'], environment }));
        expect(stdout.trim().split('\n').sort()).toEqual(['GREETING=good  day $HOME', 'HOME=/root', 'PATH=/bin']);
      });

      it('starts in the working directory', async () => {
        expect((await withRoot((root) => run(root, 'pwd', { workingDir: '/etc' }))).stdout).toBe('/etc\n');
      });

      it.skipIf(hasOneId && options.isReal).each([
        ['', '0 0 /root'],
        ['worker', '1234 4321 /home/worker'],
        ['worker:staff', '1234 50 /home/worker'],
        ['1234', '1234 4321 /home/worker'],
        ['77:88', '77 88 /'],
      ])('runs as user "%s"', async (user, expected) => {
        const script = 'echo $(id -u) $(id -g) $HOME';
        expect((await withRoot((root) => run(root, script, { user }))).stdout.trim()).toBe(expected);
      });

      it('keeps the HOME that the environment has', async () => {
        const environment = { PATH: '/bin', HOME: '/mine' };
        const { stdout } = await withRoot((root) => run(root, 'echo $HOME', { user: 'worker', environment }));
        expect(stdout).toBe('/mine\n');
      });

      it('shows one run what an earlier one of the same root did', async () => {
        const { stdout } = await withRoot(async (root) => {
          await run(root, 'echo one > /a');
          await run(root, 'echo two >> /a');
          return run(root, 'cat /a');
        });
        expect(stdout).toBe('one\ntwo\n');
      });

      it('ends the command when it is aborted', async () => {
        await withRoot(async (root) => {
          const aborter = new AbortController();
          const spec = toSpec('echo started; sleep 600', { onOutput: () => aborter.abort() });
          await expect(root.run(spec, aborter.signal)).rejects.toMatchObject({ name: 'AbortError' });
        });
      });
    });

    describe('roots', () => {
      it('apply layers in order, with whiteouts and opaque directories', async () => {
        const lower = await toLayer([
          directory('a'),
          file('a/gone', '1'),
          file('a/kept', '2'),
          directory('o'),
          file('o/hidden', '3'),
        ]);
        const upper = await toLayer([file('a/.wh.gone'), directory('o'), file('o/.wh..wh..opq'), file('o/new', '4')]);
        const { stdout } = await withRoot((root) => run(root, 'ls /a; ls /o'), [lower, upper]);
        expect(stdout).toBe('kept\nnew\n');
      });

      it('are apart from each other', async () => {
        await withRoot((first) =>
          withRoot(async (second) => {
            await run(first, 'echo mine > /only-first');
            expect((await run(second, 'cat /only-first')).code).not.toBe(0);
          }),
        );
      });

      it('close twice without harm', async () => {
        const root = await subject.sandbox.openRoot([tools]);
        await root.close();
        await root.close();
      });

      it('are not opened for a caller that has gone', async () => {
        const opened = subject.sandbox.openRoot([tools], AbortSignal.abort());
        await expect(opened).rejects.toMatchObject({ name: 'AbortError' });
      });

      it('never apply a layer outside themselves', async () => {
        const hostile = await toLayer([symlink('out', folder), file('out/planted', 'x')]);
        const opened = subject.sandbox.openRoot([tools, hostile]).then((root) => root.close());
        await opened.catch(() => undefined);
        expect(readdirSync(folder)).not.toContain('planted');
      });
    });

    describe('changes', () => {
      it('hold no file where nothing changed', async () => {
        const members = await changesAfter('cat /etc/passwd > /dev/null');
        expect(members.filter(({ type }) => type !== 'directory')).toEqual([]);
      });

      it('hold what was made, with modes, links and contents', async () => {
        const script = 'mkdir /made; echo text > /made/file; chmod 640 /made/file; ln -s file /made/link';
        const members = (await changesAfter(script)).filter(({ path }) => path.startsWith('made'));
        expect(members.map(({ path, type, mode, text, linkPath }) => ({ path, type, mode, text, linkPath }))).toEqual([
          { path: 'made', type: 'directory', mode: 0o755, text: '', linkPath: '' },
          { path: 'made/file', type: 'file', mode: 0o640, text: 'text\n', linkPath: '' },
          { path: 'made/link', type: 'symlink', mode: 0o777, text: '', linkPath: 'file' },
        ]);
      });

      it('hold the whole of a changed file, and no other', async () => {
        const lower = await toLayer([directory('d'), file('d/a', 'one\n'), file('d/b', 'same\n')]);
        const members = await changesAfter('echo two >> /d/a', [lower]);
        const files = members.filter(({ type }) => type === 'file');
        expect(files.map(({ path, text }) => [path, text])).toEqual([['d/a', 'one\ntwo\n']]);
      });

      it('hold a change of the mode alone', async () => {
        const members = await changesAfter('chmod 600 /d/a', [await toLayer([directory('d'), file('d/a', 'one')])]);
        expect(members.find(({ path }) => path === 'd/a')).toMatchObject({ mode: 0o600, text: 'one' });
      });

      it.skipIf(hasOneId && options.isReal)('keep the owners as the root sees them', async () => {
        const members = await withRoot(async (root) => {
          await run(root, 'mkdir /home/worker/w; echo x > /home/worker/w/f', { user: 'worker' });
          return changesOf(root);
        });
        const made = members.filter(({ path }) => path.startsWith('home/worker/w'));
        expect(made.map(({ path, uid, gid }) => [path, uid, gid])).toEqual([
          ['home/worker/w', 1234, 4321],
          ['home/worker/w/f', 1234, 4321],
        ]);
      });

      it('say what was removed by whiteouts', async () => {
        const lower = await toLayer([directory('d'), directory('d/sub'), file('d/sub/x', '1'), file('d/f', '2')]);
        const members = await changesAfter('rm /d/f; rm -r /d/sub', [lower]);
        expect(pathsOf(members).filter((path) => path.includes('.wh.'))).toEqual(['d/.wh.f', 'd/.wh.sub']);
        expect(members.find(({ path }) => path === 'd/.wh.f')).toMatchObject({ type: 'file', size: 0 });
      });

      it('replace a directory by a file of its name', async () => {
        const lower = await toLayer([directory('d'), file('d/x', '1')]);
        const members = await changesAfter('rm -r /d; echo now > /d', [lower]);
        const made = members.filter(({ path }) => path === 'd' || path.startsWith('d/'));
        expect(made.map(({ path, type, text }) => [path, type, text])).toEqual([['d', 'file', 'now\n']]);
      });

      it('hide what a directory held that was removed and made again', async () => {
        const lower = await toLayer([directory('d'), file('d/old', '1')]);
        const changed = await changesAfter('rm -r /d; mkdir /d; echo 2 > /d/new', [lower]);
        const upper = await toLayer(changed.map(({ text, ...entry }) => ({ entry, body: [Buffer.from(text)] })));
        expect((await withRoot((root) => run(root, 'ls /d'), [lower, upper])).stdout).toBe('new\n');
      });

      it('leave out what came and went', async () => {
        expect(pathsOf(await changesAfter('echo x > /brief; rm /brief'))).not.toContain('brief');
      });

      it('come sorted by name and no later than the clamp', async () => {
        const members = await changesAfter('touch /x-b; mkdir /x-a; touch /x-a/z; touch /x-a-b; touch /x-c');
        const paths = pathsOf(members).filter((path) => path.startsWith('x-'));
        expect(paths).toEqual(['x-a', 'x-a-b', 'x-a/z', 'x-b', 'x-c']);
        expect(Math.max(...members.map(({ mtime }) => mtime))).toBeLessThanOrEqual(clampSeconds);
      });

      it('are the same bytes for the same work', async () => {
        const bytes = () =>
          withRoot(async (root) => {
            await run(root, 'mkdir /m; echo 1 > /m/one; ln -s one /m/link');
            return Buffer.concat(await Array.fromAsync(await root.changes(0)));
          });
        expect((await bytes()).equals(await bytes())).toBe(true);
      });
    });

    describe('mounts', () => {
      const under = (members: readonly { path: string }[], path: string) =>
        pathsOf(members).filter((name) => name === path || name.startsWith(`${path}/`));

      it('bind a directory and a file of the host to read', async () => {
        const source = newFolder('bind');
        writeFileSync(join(source, 'f'), 'from the host\n');
        const mounts = [
          { type: 'bind', source, target: '/mnt/dir', writable: false },
          { type: 'bind', source: join(source, 'f'), target: '/mnt/file', writable: false },
        ] as const;
        await withRoot(async (root) => {
          const { stdout } = await run(root, 'cat /mnt/dir/f; cat /mnt/file', { mounts });
          expect(stdout).toBe('from the host\nfrom the host\n');
          expect((await run(root, 'echo x > /mnt/dir/f', { mounts })).code).not.toBe(0);
          expect(under(await changesOf(root), 'mnt')).toEqual([]);
        });
        expect(readFileSync(join(source, 'f'), 'utf8')).toBe('from the host\n');
      });

      it('let a writable bind be written', async () => {
        const mounts = [{ type: 'bind', source: newFolder('rw'), target: '/mnt', writable: true }] as const;
        await withRoot(async (root) => {
          expect((await run(root, 'echo x > /mnt/new; cat /mnt/new', { mounts })).stdout).toBe('x\n');
          expect(under(await changesOf(root), 'mnt')).toEqual([]);
        });
      });

      it('keep a cache from root to root', async () => {
        const mounts = [{ type: 'cache', source: newFolder('cache'), target: '/var/x/y', readOnly: false }] as const;
        const changed = await withRoot(async (root) => {
          await run(root, 'echo kept > /var/x/y/f', { mounts });
          return changesOf(root);
        });
        expect(under(changed, 'var/x')).toEqual([]);
        expect((await withRoot((root) => run(root, 'cat /var/x/y/f', { mounts }))).stdout).toBe('kept\n');
      });

      it('let a cache that is to be read only be read', async () => {
        const source = newFolder('ro-cache');
        mkdirSync(join(source, 'd'));
        const mounts = [{ type: 'cache', source, target: '/c', readOnly: true }] as const;
        await withRoot(async (root) => {
          expect((await run(root, 'ls /c', { mounts })).stdout).toBe('d\n');
          expect((await run(root, 'touch /c/x', { mounts })).code).not.toBe(0);
        });
      });

      it('give a fresh tmpfs to each run', async () => {
        const mounts = [{ type: 'tmpfs', target: '/scratch' }] as const;
        await withRoot(async (root) => {
          expect((await run(root, 'echo x > /scratch/f; cat /scratch/f', { mounts })).stdout).toBe('x\n');
          expect((await run(root, 'ls /scratch', { mounts })).stdout).toBe('');
          expect(under(await changesOf(root), 'scratch')).toEqual([]);
        });
      });

      it('hide what lies under them, and nothing of it changes', async () => {
        const lower = await toLayer([directory('data'), file('data/below', '1')]);
        const mounts = [{ type: 'tmpfs', target: '/data' }] as const;
        await withRoot(
          async (root) => {
            expect((await run(root, 'ls /data; rm -rf /data/below', { mounts })).stdout).toBe('');
            expect((await run(root, 'cat /data/below')).stdout).toBe('1');
          },
          [lower],
        );
      });

      it.skipIf(hasOneId && options.isReal)('show a secret to its owner, and leave nothing of it', async () => {
        const secret = { type: 'secret', target: '/run/secrets/token', mode: 0o400, uid: 1234, gid: 4321 } as const;
        const mounts = [{ ...secret, content: Buffer.from('s3cret') }];
        const members = await withRoot(async (root) => {
          expect((await run(root, 'cat /run/secrets/token', { mounts, user: 'worker' })).stdout).toBe('s3cret');
          expect((await run(root, 'cat /run/secrets/token', { mounts, user: '77:88' })).code).not.toBe(0);
          expect((await run(root, 'cat /run/secrets/token')).code).not.toBe(0);
          return changesOf(root);
        });
        expect(under(members, 'run')).toEqual([]);
        expect(JSON.stringify(members)).not.toContain('s3cret');
      });
    });

    describe.runIf(options.isReal)('real processes', () => {
      it('see no network but loopback unless the run asks for one', async () => {
        const { stdout } = await withRoot((root) => run(root, 'cat /proc/net/dev'));
        expect(stdout.match(/\S+(?=:)/g)).toEqual(['lo']);
      });

      it('end with the command that left them behind', async () => {
        const { code, stdout } = await withRoot((root) => run(root, 'sleep 601 & echo started'));
        expect([code, stdout]).toEqual([0, 'started\n']);
      });

      it('say a death by signal as shells do', async () => {
        const command = ['/bin/sh', '-c', 'sh -c "kill -9 \\$\\$"; echo $?; kill -9 $$'];
        const { code, stdout } = await withRoot((root) => run(root, '', { command }));
        expect([code, stdout.trim()]).toEqual([137, '137']);
      });

      it('cannot reach the host', async () => {
        writeFileSync(join(folder, 'host-file'), 'host');
        expect((await withRoot((root) => run(root, `cat ${join(folder, 'host-file')}`))).code).not.toBe(0);
      });

      it('have the devices and /proc that programs expect', async () => {
        const script = 'echo x > /dev/null && cat /proc/self/status > /dev/null && echo fine';
        expect((await withRoot((root) => run(root, script))).stdout).toBe('fine\n');
      });
    });
  });
}

const pathsOf = (members: readonly { path: string }[]) => members.map(({ path }) => path);

function toSpec(script: string, more: Partial<RunSpec> = {}): RunSpec {
  return {
    command: ['/bin/sh', '-c', script],
    environment: { PATH: '/bin' },
    workingDir: '/',
    user: '',
    network: false,
    mounts: [],
    onOutput: () => {},
    ...more,
  };
}

async function run(root: BuildRoot, script: string, more: Partial<RunSpec> = {}) {
  const output = { stdout: '', stderr: '' };
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => {
    output[stream] += Buffer.from(chunk).toString();
  };
  const code = await root.run(toSpec(script, { onOutput, ...more }));
  return { code, ...output };
}
