import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toLoadableImage } from '../../../test/contract/executor-images.ts';
import { toContainerSpec } from '../../../test/fakes/container-spec.ts';
import { createApptainerExecutor } from './apptainer.ts';
import type { SifStore } from './sif-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'apptainer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const image = toLoadableImage([]);
const hex = image.image.imageHash.slice('sha256:'.length);
const sif = `${'#'.repeat(32)}SIF_MAGIC`;
const empty: SifStore = { find: async () => false, save: async () => {} };
const holding = (text: string): SifStore => ({
  find: async (_hash, path) => writeFile(path, text).then(() => true),
  save: async () => {},
});

/** A stand-in for the program: answers as the script says, `$*` being what it was called with. */
function fake(script: string, sifs: SifStore = empty) {
  const home = mkdtempSync(join(folder, 'home-'));
  const program = join(home, 'apptainer-program');
  const version = '--version) echo "apptainer version 1.4.5";;';
  writeFileSync(program, `#!/bin/sh\ncase "$*" in\n${script}\n${version}\nesac\n`);
  chmodSync(program, 0o755);
  const sifFolder = join(home, 'sifs');
  const executor = createApptainerExecutor({
    home: sifFolder,
    sifs,
    program,
    environment: { PATH: '/usr/bin:/bin' },
  });
  return { executor, sifFolder };
}

const build = (script: string): string =>
  `*build*) for last; do :; done; sif=$(echo "$*" | sed 's/.* \\(.*sif\\) .*/\\1/'); ${script};;`;
const making = build(`printf '%s' '${sif}' > "$sif"`);

describe('apptainer', () => {
  it('that is not installed is unavailable, and says what to do', async () => {
    const executor = createApptainerExecutor({ home: folder, sifs: empty, environment: { PATH: folder } });
    await expect(executor.runtime()).rejects.toMatchObject({
      code: 'executor/unavailable',
      message: 'the program "apptainer" is not installed',
      hint: expect.stringContaining('install apptainer 1.1 or newer'),
    });
  });

  it.each([
    ['apptainer version 1.0.3', 'expected apptainer 1.1 or newer, got 1.0.3'],
    ['singularity version 3.8.7', 'expected singularity 3.10 or newer, got 3.8.7'],
  ])('refuses %s', async (version, message) => {
    const { executor } = fake(`--version) echo "${version}"; exit;;`);
    await expect(executor.runtime()).rejects.toMatchObject({ code: 'executor/unavailable', message });
  });

  it('may be SingularityCE', async () => {
    const { executor } = fake('--version) echo "singularity-ce version 4.1.2-jammy"; exit;;');
    expect(await executor.runtime()).toBe('singularity 4.1.2-jammy');
  });
});

describe('an image', () => {
  it('is converted once, and kept under its hash', async () => {
    const saved: string[] = [];
    const { executor, sifFolder } = fake(making, { ...empty, save: async (hash) => void saved.push(hash) });
    const loaded = await Promise.all([1, 2].map(() => executor.loadImage(image)));
    expect(loaded.map(({ reference }) => reference)).toEqual([1, 2].map(() => join(sifFolder, `${hex}.sif`)));
    expect(readdirSync(sifFolder)).toEqual([`${hex}.sif`]);
    expect(saved).toEqual([image.image.imageHash]);
  });

  it('that the store has converted is taken from there', async () => {
    const { executor, sifFolder } = fake(build('exit 1'), holding(sif));
    expect((await executor.loadImage(image)).reference).toBe(join(sifFolder, `${hex}.sif`));
  });

  it('is converted again when what the store has is no SIF', async () => {
    const { executor, sifFolder } = fake(making, holding('something else'));
    await executor.loadImage(image);
    expect(readdirSync(sifFolder)).toEqual([`${hex}.sif`]);
  });

  it.each([
    ['invalid tar header', 'executor/load-failed'],
    ['write: no space left on device', 'executor/no-space'],
  ])('that cannot be converted (%s) fails with %s, and leaves nothing', async (said, code) => {
    const { executor, sifFolder } = fake(build(`echo "FATAL:   ${said}" >&2; exit 255`));
    await expect(executor.loadImage(image)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`: ${said}`),
    });
    expect(readdirSync(sifFolder)).toEqual([]);
  });

  it('is converted for the others when one caller is cancelled', async () => {
    const { executor } = fake(making);
    const abort = new AbortController();
    const [first, second] = [executor.loadImage(image, abort.signal), executor.loadImage(image)];
    abort.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    expect((await second).reference).toContain(hex);
  });
});

describe('a container', () => {
  const toSpec = () => toContainerSpec({ scratchDir: mkdtempSync(join(folder, 'scratch-')) });

  it.each([
    ['FATAL:   cannot create user namespace', 'allow user namespaces'],
    [
      'FATAL:   container creation failed: network requires root or a suid installation',
      'leave the name of the network',
    ],
    ['FATAL:   image driver squashfuse_ll exited', '/dev/fuse'],
    ['FATAL:   stat /bin/sh: no such file or directory', 'needs /bin/sh'],
  ])('that is refused (%s) says why and what to do', async (said, hint) => {
    const { executor } = fake(`${making}\n*exec*) echo "${said}" >&2; exit 255;;`);
    await expect(executor.start(await executor.loadImage(image), toSpec())).rejects.toMatchObject({
      code: 'executor/start-failed',
      message: `apptainer did not start the container: ${said.slice('FATAL:   '.length)}`,
      hint: expect.stringContaining(hint),
    });
  });
});

it('clears what dead processes left half converted', async () => {
  const { executor, sifFolder } = fake(making);
  mkdirSync(join(sifFolder, '.of-1999999999-1-dead'), { recursive: true });
  await executor.reap(() => true);
  expect(readdirSync(sifFolder)).toEqual([]);
});
