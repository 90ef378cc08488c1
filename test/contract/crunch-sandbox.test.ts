import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Container, Mounts } from '../../src/api/records.ts';
import type { PortableDataHash } from '../../src/core/ids.ts';
import { createLayerIndex } from '../../src/crunch/images/layer-index.ts';
import { createImageOpener } from '../../src/crunch/images/opener.ts';
import { storeImage } from '../../src/crunch/images/store-image.ts';
import type { Executor } from '../../src/executor/port.ts';
import { createGround } from '../../src/executor/sandbox/ground.ts';
import { createSandboxExecutor } from '../../src/executor/sandbox/sandbox.ts';
import { parseReference } from '../../src/image/reference.ts';
import { createSetting, type Setting } from './crunch-setting.ts';
import { toLoadableImage } from './executor-images.ts';
import { toolsLayer } from './layers.ts';

/** The whole way with nothing faked but the records' age: an image from Keep, namespaces, Keep again. */
describe('crunch-run in the sandbox', { timeout: 60_000 }, () => {
  let setting: Setting;
  let executor: Executor;
  let image: PortableDataHash;
  let close: () => Promise<void>;

  beforeAll(async () => {
    setting = await createSetting();
    const { api, blocks } = setting;
    const ground = createGround({ home: join(setting.directory, 'sandbox') });
    executor = createSandboxExecutor(ground);
    close = async () => (await (await ground()).namespace()).close();
    const stored = await storeImage(
      toLoadableImage([await toolsLayer()], { WorkingDir: '/tmp', Env: ['FROM_IMAGE=yes'] }).image,
      {
        ...{ blocks, layers: createLayerIndex(api, blocks), signal: new AbortController().signal },
        references: [parseReference('tools:1')],
        report: { line() {}, activity() {}, output() {} },
      },
    );
    await api.create('collections', { manifest_text: stored.collection.manifestText, properties: stored.properties });
    image = stored.collection.portableDataHash;
  }, 120_000);
  afterAll(async () => {
    await close();
    await setting.close();
  });

  function run(script: string, more: Partial<Container> = {}): Promise<Container> {
    const images = createImageOpener(setting.deps.collections, setting.blocks);
    const mounts: Mounts = { '/var/spool/cwl': { kind: 'tmp', capacity: 1_000_000 }, ...more.mounts };
    const work = {
      container_image: image,
      command: ['/bin/sh', '-c', script],
      cwd: '/var/spool/cwl',
      output_path: '/var/spool/cwl',
    };
    return setting.run({ ...work, ...more, mounts }, { executor, deps: { images } });
  }
  const stdoutOf = async (container: Container): Promise<string> =>
    ((await setting.readLog(container))['stdout.txt'] ?? '').replace(/^\S+ /gm, '');

  test('echo, false, pwd', async () => {
    expect(await stdoutOf(await run('echo hello world'))).toBe('hello world\n');
    expect(await run('exit 1')).toMatchObject({ state: 'Complete', exit_code: 1 });
    expect(await stdoutOf(await run('pwd; echo $FROM_IMAGE', { cwd: '.' }))).toBe('/tmp\nyes\n');
  });

  test('mounts in, output out, by reference where it was an input', async () => {
    const reads = await setting.store({ 'a.txt': 'A', 'sub/b.txt': 'B' });
    const collection = { kind: 'collection', portable_data_hash: reads.portableDataHash } as const;
    const mounts: Mounts = {
      '/keep/in': collection,
      '/keep/in/sub/new.txt': { kind: 'text', content: 'N' },
      '/var/spool/cwl/staged': { ...collection, path: 'sub' },
      '/var/spool/cwl/lit': { kind: 'text', content: 'L' },
    };
    const script =
      'cat /keep/in/a.txt /keep/in/sub/new.txt staged/b.txt; echo more >> lit; ln -s /keep/in/sub/b.txt link; echo made > f';
    const container = await run(script, { mounts });
    expect(container.runtime_status.error).toBeUndefined();
    expect(await stdoutOf(container)).toBe('ANB\n');
    expect(await setting.readOutput(container)).toEqual({
      f: 'made\n',
      lit: 'Lmore\n',
      link: 'B',
      'staged/b.txt': 'B',
    });
  });

  test('inputs cannot be changed, secrets are read by the command alone', async () => {
    const reads = await setting.store({ 'a.txt': 'A' });
    const mounts: Mounts = { '/in': { kind: 'collection', portable_data_hash: reads.portableDataHash } };
    const container = await run('echo x > /in/a.txt || echo refused', { mounts });
    expect(await stdoutOf(container)).toBe('refused\n');
  });

  test('an output that points to the host is refused', async () => {
    const container = await run('ln -s /etc/hostname l');
    expect(container).toMatchObject({ state: 'Cancelled', exit_code: null });
    expect(container.runtime_status.error).toMatch(/"l" points to "\/etc\/hostname"/);
  });

  test('cancelled in the middle: ended, cleared away', async () => {
    const controller = new AbortController();
    const images = createImageOpener(setting.deps.collections, setting.blocks);
    setTimeout(() => controller.abort(), 300);
    const work = {
      container_image: image,
      command: ['/bin/sh', '-c', 'while :; do :; done'],
      cwd: '/',
      output_path: '/out',
    };
    const container = await setting.run(
      { ...work, mounts: {} },
      { executor, deps: { images }, signal: controller.signal },
    );
    expect(container).toMatchObject({ state: 'Cancelled', runtime_status: { error: 'the container was cancelled' } });
  });
});
