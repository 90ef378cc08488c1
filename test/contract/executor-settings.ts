import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ContainerSettings, ContainerSpec, Executor, LoadedImage } from '../../src/executor/port.ts';
import { toContainerSpec } from '../fakes/container-spec.ts';
import { toLoadableImage } from './executor-images.ts';
import { toolsLayer } from './layers.ts';
import { hasOneId } from './one-id.ts';

export interface SettingsSuiteOptions {
  /** False where every container runs as the caller. */
  readonly hasImageUser: boolean;
}

let count = 0;

/** `ContainerSettings` of src/executor/port.ts: what a caller may ask of every container of an executor. */
export function describeExecutorSettings(
  name: string,
  open: () => Promise<{ readonly executor: Executor; close?(): Promise<void> }>,
  options: SettingsSuiteOptions,
): void {
  describe(`settings of executor: ${name}`, { timeout: 60_000 }, () => {
    let subject: Awaited<ReturnType<typeof open>>;
    let loaded: LoadedImage;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'executor-settings-'));
      subject = await open();
      loaded = await subject.executor.loadImage(toLoadableImage([await toolsLayer()], { User: '7:8' }));
    }, 120_000);
    afterAll(async () => {
      await subject?.close?.();
      rmSync(folder, { recursive: true, force: true });
    });

    function toSpec(script: string, more: Partial<ContainerSpec>): ContainerSpec {
      count += 1;
      const binds = [{ source: mkdtempSync(join(folder, 'out-')), target: '/out', readOnly: false }];
      const scratchDir = mkdtempSync(join(folder, 'scratch-'));
      return toContainerSpec({ command: ['sh', '-c', script], binds, network: true, scratchDir, ...more });
    }

    /** What the script prints. */
    async function sh(script: string, settings: ContainerSettings): Promise<string> {
      const writable = new PassThrough();
      const container = await subject.executor.start(
        loaded,
        toSpec(script, { ...settings, stdout: { kind: 'stream', writable } }),
      );
      await container.exit.finally(() => container.close());
      return (await text(writable.end())).trim();
    }

    it('readOnlyRoot leaves binds alone to be written', async () => {
      const write = 'for f in /new /out/new; do (echo x > $f) && echo $f; done; :';
      expect(await sh(write, { readOnlyRoot: true })).toBe('/out/new');
      expect(await sh(write, {})).toBe('/new\n/out/new');
    });

    it('networkName chooses the network', async () => {
      const interfaces = await sh('cat /proc/net/dev', { networkName: 'none' });
      expect(interfaces.match(/^ *\w+:/gm)?.map((name) => name.trim())).toEqual(['lo:']);
      await expect(sh('exit', { networkName: 'hallmark-has-none' })).rejects.toMatchObject({
        code: 'executor/start-failed',
        // An ordinary user's apptainer refuses all names.
        message: expect.stringMatching(/hallmark-has-none|network requires root/),
      });
    });

    it.runIf(options.hasImageUser && !hasOneId)('asImageUser runs the command as the user of the image', async () => {
      const user = 'id -u; id -g';
      expect(await sh(user, { asImageUser: true })).toBe('7\n8');
      expect(await sh(user, {})).not.toBe('7\n8');
    });

    it.runIf(!options.hasImageUser)('asImageUser is refused', async () => {
      await expect(sh('id -u', { asImageUser: true })).rejects.toMatchObject({ code: 'executor/start-failed' });
    });

    it('strictCpus holds a container to its cores', async () => {
      const quotas = async (settings: ContainerSettings): Promise<readonly string[]> => {
        const mark = `sleep 3${process.pid}${count}`;
        const container = await subject.executor.start(loaded, toSpec(`${mark}; :`, { vcpus: 1, ...settings }));
        try {
          return await vi.waitFor(() => quotasOf(mark), { timeout: 10_000 });
        } finally {
          await container.close();
        }
      };
      expect(await quotas({})).not.toContain(oneCore);
      if (process.getuid?.() === 0) expect(await quotas({ strictCpus: true })).toContain(oneCore);
    });
  });
}

/** Of the usual period of 100 ms. */
const oneCore = '100000';

/** The quotas of CPU time of the control groups that the process of this command line is in. */
function quotasOf(mark: string): string[] {
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && commandOf(name) === mark);
  if (pid === undefined) throw new Error(`no process ${mark}`);
  return read(`/proc/${pid}/cgroup`)
    .split('\n')
    .map((line) => {
      const [, controllers = '', path = ''] = line.split(':');
      if (controllers === '') return read(`/sys/fs/cgroup${path}/cpu.max`).split(' ')[0] ?? '';
      return controllers.split(',').includes('cpu') ? read(`/sys/fs/cgroup/cpu${path}/cpu.cfs_quota_us`).trim() : '';
    });
}

const commandOf = (pid: string): string => read(`/proc/${pid}/cmdline`).split('\0').filter(Boolean).join(' ');

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
