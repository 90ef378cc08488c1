import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mib } from '../../src/core/units.ts';
import type { ContainerSpec, Executor, LoadableImage, LoadedImage, RunningContainer } from '../../src/executor/port.ts';
import { toContainerSpec } from '../fakes/container-spec.ts';

export interface ExecutorSubject {
  readonly executor: Executor;
  /** Has the layer of `toolsLayer` at the bottom. */
  readonly image: LoadableImage;
  close?(): Promise<void>;
}

export interface ExecutorSuiteOptions {
  /** Containers have a root, mounts and a network of their own. */
  readonly isolates: boolean;
  readonly limitsMemory: boolean;
  readonly limitsProcesses: boolean;
  /** A mount point below a link of the image is made inside the container. Engines that refuse it start nothing. */
  readonly followsLinks?: boolean;
}

/** The contract of `Executor` in src/executor/port.ts. */
export function describeExecutor(
  name: string,
  open: () => Promise<ExecutorSubject>,
  options: ExecutorSuiteOptions,
): void {
  describe(`executor: ${name}`, { timeout: 60_000 }, () => {
    let subject: ExecutorSubject;
    let loaded: LoadedImage;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'executor-'));
      subject = await open();
      loaded = await subject.executor.loadImage(subject.image);
    }, 120_000);
    afterAll(async () => {
      await subject?.close?.();
      rmSync(folder, { recursive: true, force: true });
    });

    const newFolder = (prefix: string) => mkdtempSync(join(folder, `${prefix}-`));

    function toSpec(command: readonly string[], more: Partial<ContainerSpec> = {}): ContainerSpec {
      const workingDir = options.isolates ? '/' : folder;
      return toContainerSpec({ command, workingDir, scratchDir: newFolder('scratch'), ...more });
    }

    async function withContainer<T>(
      spec: ContainerSpec,
      work: (container: RunningContainer) => Promise<T>,
    ): Promise<T> {
      const container = await subject.executor.start(loaded, spec);
      try {
        return await work(container);
      } finally {
        await container.close();
      }
    }

    async function run(command: readonly string[], more: Partial<ContainerSpec> = {}) {
      const stdout = collect();
      const stderr = collect();
      const spec = toSpec(command, { stdout: stdout.target, stderr: stderr.target, ...more });
      const exit = await withContainer(spec, (container) => container.exit);
      return { ...exit, stdout: stdout.text(), stderr: stderr.text() };
    }

    const sh = (script: string, more: Partial<ContainerSpec> = {}) => run(['sh', '-c', script], more);

    it('names its runtime', async () => {
      expect(await subject.executor.runtime()).toMatch(/^[a-z]+ \S/);
    });

    it('loads an image twice to the same reference', async () => {
      const again = await Promise.all([1, 2].map(() => subject.executor.loadImage(subject.image)));
      expect(again).toEqual([loaded, loaded]);
      expect(loaded.executor).toBe(subject.executor.name);
    });

    describe('the command', () => {
      it.each([
        ['true', 0],
        ['false', 1],
        ['exit 7', 7],
        ['exit 255', 255],
      ])('gives the exit code of %s', async (script, exitCode) => {
        expect(await sh(script)).toMatchObject({ exitCode, outOfMemory: false });
      });

      it('says hello world', async () => {
        expect(await sh('echo hello world')).toMatchObject({ exitCode: 0, stdout: 'hello world\n', stderr: '' });
      });

      it('gives 127 for a command that is not there, and says so', async () => {
        const { exitCode, stderr } = await run(['no-such-command']);
        expect(exitCode).toBe(127);
        expect(stderr).toMatch(/no-such-command/);
      });

      it('gives 126 for a file that is no program', async () => {
        expect((await run(['/etc/passwd'])).exitCode).toBe(126);
      });

      it('gets its arguments as they are', async () => {
        const odd = ['', ' ', "it's", '"', '$HOME', 'a\nb', '-x', '\\', '*', 'é', '`', ';'];
        const { stdout } = await run(['sh', '-c', 'for a; do echo "[$a]"; done', 'sh', ...odd]);
        expect(stdout).toBe(odd.map((word) => `[${word}]\n`).join(''));
      });

      it('gets its environment and nothing of the runner', async () => {
        const environment = {
          PATH: '/usr/bin:/bin',
          HOME: '/h',
          ODD: 'a  b\n$c',
          LD_LIBRARY_PATH: '/nowhere',
          'x.y': '1',
        };
        const { stdout } = await run(['env', '-0'], { environment });
        const got = stdout.split('\0').filter((line) => line !== '' && !/^(HOSTNAME|container|TERM)=/.test(line));
        expect(got.sort()).toEqual(
          Object.entries(environment)
            .map(([key, value]) => `${key}=${value}`)
            .sort(),
        );
      });

      it('starts in the working directory', async () => {
        const workingDir = options.isolates ? '/etc' : newFolder('work');
        expect((await sh('pwd', { workingDir })).stdout).toBe(`${workingDir}\n`);
      });

      it('says a death by signal as shells do', async () => {
        expect((await sh('kill -9 $$')).exitCode).toBe(137);
        expect((await sh('kill -TERM $$')).exitCode).toBe(143);
      });

      it('takes its descendants along', async () => {
        const started = Date.now();
        expect(await sh('sleep 601 & echo left')).toMatchObject({ exitCode: 0, stdout: 'left\n' });
        expect(Date.now() - started).toBeLessThan(600_000);
      });
    });

    describe('streams', () => {
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 256));

      it('pass stdin to stdout byte for byte, to files', async () => {
        const place = newFolder('files');
        writeFileSync(join(place, 'in'), bytes);
        writeFileSync(join(place, 'out'), 'what was here before is gone');
        const stdout = { kind: 'file', path: join(place, 'out') } as const;
        const stderr = { kind: 'file', path: join(place, 'err') } as const;
        await run(['sh', '-c', 'cat; echo problem >&2'], { stdin: join(place, 'in'), stdout, stderr });
        expect(readFileSync(join(place, 'out')).equals(bytes)).toBe(true);
        expect(readFileSync(join(place, 'err'), 'utf8')).toBe('problem\n');
      });

      it('have a pipe on stdin, which holds up nobody who does not read it', async () => {
        const place = newFolder('unread');
        writeFileSync(join(place, 'in'), Buffer.alloc(1_000_000));
        const stdin = join(place, 'in');
        expect(await sh('test -p /dev/stdin && sleep 601 <&0 & test -p /dev/stdin; echo $?', { stdin })).toMatchObject({
          exitCode: 0,
          stdout: '0\n',
        });
      });

      it('have nothing on stdin unless told', async () => {
        expect(await sh('cat; echo end')).toMatchObject({ exitCode: 0, stdout: 'end\n' });
      });

      it('are complete when the end is known, without an end of the target', async () => {
        const both = collect();
        const spec = { stdout: both.target, stderr: both.target };
        await sh('echo one; echo two >&2', spec);
        await sh('echo three', spec);
        expect(both.text().split('\n').sort()).toEqual(['', 'one', 'three', 'two']);
      });

      it('wait for a slow taker and hold little meanwhile', async () => {
        let got = 0;
        const writable = new Writable({
          highWaterMark: 16 * 1024,
          write(chunk: Buffer, _encoding, done) {
            got += chunk.length;
            setImmediate(done);
          },
        });
        const before = process.memoryUsage().rss;
        const input = join(newFolder('big'), 'zeros');
        writeFileSync(input, Buffer.alloc(mib));
        const script = 'i=0; while [ $i -lt 64 ]; do cat "$0" 2>/dev/null || cat; i=$((i+1)); done';
        const binds = options.isolates ? [{ source: input, target: '/zeros', readOnly: true }] : [];
        const command = ['sh', '-c', script, options.isolates ? '/zeros' : input];
        await run(command, { binds, stdout: { kind: 'stream', writable } });
        expect(got).toBe(64 * mib);
        expect(process.memoryUsage().rss - before).toBeLessThan(48 * mib);
      });

      it('say so when a target fails, and end the container', async () => {
        const writable = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk on fire')) });
        writable.on('error', () => {});
        const spec = toSpec(['sh', '-c', 'while :; do echo more; done'], { stdout: { kind: 'stream', writable } });
        await withContainer(spec, async ({ exit }) => {
          await expect(exit).rejects.toMatchObject({
            code: 'executor/output-lost',
            cause: { message: 'disk on fire' },
          });
        });
      });
    });

    describe('stop and close', () => {
      it('end a container that would run for long', async () => {
        await withContainer(toSpec(['sleep', '602']), async (container) => {
          await container.stop();
          expect((await container.exit).exitCode).toBe(137);
        });
      });

      it('come at once: the command is not asked to end', async () => {
        const stdout = collect();
        const script = 'trap "echo asked; exit 0" TERM; echo ready; while :; do sleep 0.05; done';
        await withContainer(toSpec(['sh', '-c', script], { stdout: stdout.target }), async (container) => {
          await expect.poll(stdout.text, { timeout: 20_000 }).toBe('ready\n');
          await container.stop();
          expect((await container.exit).exitCode).toBe(137);
        });
        expect(stdout.text()).toBe('ready\n');
      });

      it('may come at any instant, together and again', async () => {
        for (const waitMs of [0, 1, 5, 20]) {
          const container = await subject.executor.start(loaded, toSpec(['sh', '-c', 'sleep 603 & sleep 603']));
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          await Promise.all([container.stop(), container.close(), container.stop(), container.close()]);
          await container.close();
          expect((await container.exit).exitCode).toBe(137);
        }
      });

      it('leave the exit as it was when it has ended', async () => {
        await withContainer(toSpec(['sh', '-c', 'exit 5']), async (container) => {
          expect((await container.exit).exitCode).toBe(5);
          await container.stop();
          expect((await container.exit).exitCode).toBe(5);
        });
      });

      it('leave nothing in the scratch folder that its owner cannot remove', async () => {
        const spec = toSpec(['sh', '-c', options.isolates ? 'mkdir -p /a/b; echo x > /a/b/c; chmod 0 /a/b' : 'true']);
        await withContainer(spec, (container) => container.exit);
        rmSync(spec.scratchDir, { recursive: true });
        expect(readdirSync(folder)).not.toContain(spec.scratchDir);
      });
    });

    it('runs many at once', async () => {
      const runs = Array.from({ length: 12 }, (_, index) => sh(`echo ${index}`));
      const said = (await Promise.all(runs)).map(({ exitCode, stdout, stderr }) => ({ exitCode, stdout, stderr }));
      expect(said).toEqual(runs.map((_, index) => ({ exitCode: 0, stdout: `${index}\n`, stderr: '' })));
    });

    it.runIf(options.isolates)('tells what a container uses, while it runs and at its end', async () => {
      const source = newFolder('watched');
      const script = `
        i=0; while [ $i -lt 600000 ]; do i=$((i+1)); done
        x=aaaaaaaa; while [ \${#x} -lt ${32 * mib} ]; do x=$x$x; done
        while ! [ -e /watched/enough ]; do sleep 0.1; done`;
      const binds = [{ source, target: '/watched', readOnly: true }];
      const spec = toSpec(['sh', '-c', script], { binds, ramBytes: 256 * mib });
      const { exitCode, usage } = await withContainer(spec, async (container) => {
        const peak = async () => (await container.usage()).peakRamBytes ?? 0;
        await expect.poll(peak, { timeout: 50_000 }).toBeGreaterThan(32 * mib);
        writeFileSync(join(source, 'enough'), '');
        return container.exit;
      });
      expect(exitCode).toBe(0);
      expect(usage.peakRamBytes).toBeGreaterThan(32 * mib);
      expect(usage.peakRamBytes).toBeLessThan(256 * mib);
      expect((usage.cpuUserSeconds ?? 0) + (usage.cpuSystemSeconds ?? 0)).toBeGreaterThan(0.05);
    });

    it('fails to start in a place that cannot be', async () => {
      const workingDir = options.isolates ? '/etc/passwd' : '/no/such/folder';
      const started = subject.executor.start(loaded, toSpec(['true'], { workingDir })).then(async (container) => {
        const { exitCode } = await container.exit;
        await container.close();
        throw new Error(`started and ended with ${exitCode}`);
      });
      await expect(started).rejects.toMatchObject({ code: 'executor/start-failed' });
    });

    describe.runIf(options.isolates)('the root', () => {
      it('is the image, and what is written there is gone', async () => {
        expect((await sh('cat /etc/group; echo x > /etc/new; echo y >> /etc/group; ls /etc/new')).stdout).toContain(
          'workers',
        );
        expect((await sh('cat /etc/group; ls /etc/new')).stdout).not.toMatch(/new|y/);
      });

      it('has the devices and /proc that programs expect', async () => {
        const script =
          'echo x > /dev/null; read -r n < /proc/self/stat; echo out > /dev/stdout; echo $(ls /dev/shm /dev/fd/0)';
        expect(await sh(script)).toMatchObject({ exitCode: 0, stdout: 'out\n/dev/fd/0 /dev/shm:\n' });
      });

      it('shows nothing of the host', async () => {
        writeFileSync(join(folder, 'secret'), 'host');
        expect((await sh(`cat ${join(folder, 'secret')} /proc/1/root${join(folder, 'secret')}`)).stdout).toBe('');
      });

      it('lets nothing of the host be changed through /proc', async () => {
        const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
        expect((await sh('echo hostile > /proc/sys/kernel/core_pattern')).exitCode).not.toBe(0);
        expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
      });

      it('shows only its own processes', async () => {
        const { stdout } = await sh('for p in /proc/[0-9]*; do echo $p; done');
        expect(stdout.trim().split('\n').length).toBeLessThan(5);
      });
    });

    describe.runIf(options.isolates)('binds', () => {
      it('are read, written and owned by the caller', async () => {
        const source = newFolder('out');
        const binds = [{ source, target: '/out', readOnly: false }];
        expect(
          (await sh('echo made > /out/f; mkdir -p /out/d/e; ln -s f /out/l', { binds, workingDir: '/out' })).exitCode,
        ).toBe(0);
        expect(readFileSync(join(source, 'f'), 'utf8')).toBe('made\n');
        expect(statSync(join(source, 'd/e')).uid).toBe(process.getuid?.());
      });

      it('are not written when read-only', async () => {
        const source = newFolder('in');
        writeFileSync(join(source, 'f'), 'data');
        const binds = [
          { source, target: '/in', readOnly: true },
          { source: join(source, 'f'), target: '/var/lib/cwl/stg 1/it\'s "ünï".txt', readOnly: true },
        ];
        const { stdout, exitCode } = await sh('cat /in/f "/var/lib/cwl/stg 1/"*; echo x > /in/f || exit 3', { binds });
        expect([stdout, exitCode]).toEqual(['datadata', 3]);
        expect(readFileSync(join(source, 'f'), 'utf8')).toBe('data');
      });

      it('nest, in whatever order they are given', async () => {
        const outer = newFolder('outer');
        const inner = newFolder('inner');
        writeFileSync(join(inner, 'f'), 'inner');
        writeFileSync(join(outer, 'g'), 'outer');
        const binds = [
          { source: join(inner, 'f'), target: '/data/deep/file', readOnly: true },
          { source: inner, target: '/data/sub', readOnly: true },
          { source: outer, target: '/data', readOnly: false },
        ];
        expect((await sh('cat /data/g /data/sub/f /data/deep/file; echo w > /data/w', { binds })).stdout).toBe(
          'outerinnerinner',
        );
        expect(readFileSync(join(outer, 'w'), 'utf8')).toBe('w\n');
      });

      it('keep names of any bytes that a path may have', async () => {
        const source = newFolder('odd ,:=\'"\\\n#é');
        writeFileSync(join(source, 'f'), 'odd');
        const binds = [{ source, target: '/odd', readOnly: true }];
        expect((await sh('cat /odd/f', { binds })).stdout).toBe('odd');
      });

      it('come with folders that vanish', async () => {
        const tmpfs = [{ target: '/fresh' }, { target: '/tmp' }];
        const source = newFolder('in-tmpfs');
        writeFileSync(join(source, 'f'), 'nested');
        const binds = [{ source: join(source, 'f'), target: '/fresh/a/f', readOnly: true }];
        const { stdout } = await sh('cat /fresh/a/f; echo x > /fresh/x; echo y > /tmp/y; ls /fresh /tmp', {
          tmpfs,
          binds,
        });
        expect(stdout).toBe('nested/fresh:\na\nx\n\n/tmp:\ny\n');
      });
    });

    describe.runIf(options.isolates)('the network', () => {
      const devices = async (network: boolean): Promise<string[]> => {
        const { stdout } = await sh('cat /proc/net/dev', { network });
        return [...stdout.matchAll(/^\s*(\S+):/gm)].map(([, device]) => device ?? '');
      };

      it('is loopback alone, and that is up', async () => {
        expect(await devices(false)).toEqual(['lo']);
        expect((await sh('cat /proc/net/fib_trie')).stdout).toContain('127.0.0.1');
      });

      it('is there when asked for', async () => {
        expect((await devices(true)).length).toBeGreaterThan(0);
        expect((await sh('cat /etc/resolv.conf', { network: true })).exitCode).toBe(0);
      });
    });

    it.runIf(options.limitsMemory)('ends a container that takes too much memory, and says so', async () => {
      const script = 'x=aaaaaaaa; while :; do x=$x$x; done';
      const { exitCode, outOfMemory } = await sh(script, { ramBytes: 64 * mib });
      expect([exitCode, outOfMemory]).toEqual([137, true]);
      expect(await sh('kill -9 $$', { ramBytes: 64 * mib })).toMatchObject({ exitCode: 137, outOfMemory: false });
    });

    it.runIf(options.limitsProcesses)('holds a fork bomb', async () => {
      const spec = toSpec(['sh', '-c', 'f() { f & f & wait; }; f']);
      await withContainer(spec, async (container) => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect((await sh('echo alive')).stdout).toBe('alive\n');
        await container.stop();
        await container.exit;
      });
    });

    it.runIf(options.followsLinks)('mounts nothing over the host for an image with links to it', async () => {
      const victim = newFolder('victim');
      writeFileSync(join(victim, 'f'), 'untouched');
      const source = newFolder('payload');
      symlinkSync('/', join(source, 'up'));
      mkdirSync(join(source, 'real'));
      const binds = [
        { source, target: '/data', readOnly: false },
        { source, target: `/data/up${victim}/made`, readOnly: false },
      ];
      await sh('echo x > /data/real/f', { binds });
      expect(readdirSync(victim)).toEqual(['f']);
      expect(readFileSync(join(source, 'real/f'), 'utf8')).toBe('x\n');
    });
  });
}

function collect() {
  const chunks: Buffer[] = [];
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { target: { kind: 'stream', writable } as const, text: () => Buffer.concat(chunks).toString() };
}
