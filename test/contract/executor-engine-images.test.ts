import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { callCli } from '../../src/executor/engine/cli.ts';
import type { Executor, LoadableImage } from '../../src/executor/port.ts';
import type { Layer } from '../../src/image/model.ts';
import { describeWith, environment, probeEngine } from './engines.ts';
import { toLoadableImage } from './executor-images.ts';
import { file, toLayer } from './layers.ts';

/** An image that no engine has yet. `before` is called when its layer is read. */
async function newImage(before: () => Promise<void> = async () => {}): Promise<LoadableImage> {
  const layer = await toLayer([file('id', randomUUID())]);
  const slow: Layer = { ...layer, open: (signal) => before().then(() => layer.open(signal)) };
  return toLoadableImage([slow]);
}

for (const name of ['docker', 'podman'] as const) {
  describeWith(await probeEngine(name), 'images', ({ executor }) => describeImages(name, executor));
}

function describeImages(program: string, executor: Executor): void {
  const cli = { program, globalArgs: [], environment, hint: '' };
  const loaded: string[] = [];
  const load = async (image: LoadableImage, signal?: AbortSignal): Promise<string> => {
    const { reference } = await executor.loadImage(image, signal);
    loaded.push(reference);
    return reference;
  };
  const inspect = async (reference: string, format: string): Promise<string> =>
    (await callCli(cli, ['image', 'inspect', '--format', format, reference])).stdout.trim();
  afterAll(() => callCli(cli, ['image', 'rm', '--force', ...loaded]));

  it('have a name of ours alone', async () => {
    const { image } = await newImage();
    const reference = await load({ image, openArchive: () => Promise.reject(new Error('its names are not wanted')) });
    expect(reference).toBe(image.imageHash);
    expect(JSON.parse(await inspect(reference, '{{json .RepoTags}}'))).toEqual([
      `localhost/hallmark:${image.imageHash.slice('sha256:'.length)}`,
    ]);
  });

  it('keep the other names that they have got', async () => {
    const image = await newImage();
    const name = `localhost/hallmark-test:${process.pid}`;
    await callCli(cli, ['tag', await load(image), name]);
    await load(image);
    expect(await inspect(name, '{{.Id}}')).toContain(image.image.imageHash.slice('sha256:'.length));
  });

  it('are loaded for the others when one caller is cancelled', async () => {
    let goOn = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const image = await newImage(() => waiting);
    const abort = new AbortController();
    const [first, second] = [load(image, abort.signal), load(image)];
    await sleep(300);
    abort.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    goOn();
    expect(await second).toBe(image.image.imageHash);
  });

  it('are loaded anew for who comes after all others were cancelled', async () => {
    let isStuck = true;
    const image = await newImage(() => (isStuck ? new Promise(() => {}) : Promise.resolve()));
    const abort = new AbortController();
    const first = load(image, abort.signal);
    await sleep(300);
    isStuck = false;
    abort.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    expect(await load(image)).toBe(image.image.imageHash);
  });
}
