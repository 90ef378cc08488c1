import { mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Claim } from '../../core/claim.ts';
import { createSharedTasks } from '../../core/concurrency.ts';
import { callCli, type EngineCli, toLine } from '../engine/cli.ts';
import { executorError } from '../errors.ts';
import type { LoadableImage } from '../port.ts';
import { findOrphaned, ownedName } from '../process/owned.ts';
import type { SifStore } from './sif-store.ts';

/** SIFs on this machine's disk, in a folder that any number of processes share. A crash leaves a SIF whole or absent. */
export interface SifCache {
  /** Path of the image's SIF, which is converted only when neither this machine nor the store has it. */
  ensure(image: LoadableImage, cli: EngineCli, signal?: AbortSignal): Promise<string>;
  /** Removes what dead processes left half done. */
  reap(): Promise<void>;
}

/** Callers for one image share its conversion, which ends early only when all of them have been cancelled. */
export function createSifCache(folder: string, sifs: SifStore, claim: Claim): SifCache {
  const shared = createSharedTasks<string>();
  return {
    async ensure(image, cli, signal) {
      const target = join(folder, `${image.image.imageHash.slice('sha256:'.length)}.sif`);
      if (await claim(target)) return target;
      return shared(target, (stop) => provide({ folder, sifs, image, cli, signal: stop }, target), signal);
    },
    async reap() {
      for (const orphan of await findOrphaned(folder)) await rm(orphan, { recursive: true, force: true });
    },
  };
}

interface Task {
  readonly folder: string;
  readonly sifs: SifStore;
  readonly image: LoadableImage;
  readonly cli: EngineCli;
  readonly signal: AbortSignal;
}

async function provide(task: Task, target: string): Promise<string> {
  const { imageHash } = task.image.image;
  const work = join(task.folder, ownedName());
  await mkdir(work, { recursive: true });
  try {
    const found = join(work, 'found.sif');
    if ((await task.sifs.find(imageHash, found)) && (await isSif(found))) {
      await rename(found, target);
      return target;
    }
    const made = await convert(task, work);
    await task.sifs.save(imageHash, made);
    await rename(made, target);
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** By the archive in `docker save` form, under a name without a colon, which apptainer would take for that of a tag. */
async function convert({ image, cli, signal }: Task, work: string): Promise<string> {
  const [archive, sif] = [join(work, 'image.tar'), join(work, 'image.sif')];
  if (image.archivePath === undefined) await writeFile(archive, await image.openArchive(signal), { signal });
  else await symlink(resolve(image.archivePath), archive);
  const environment = { ...cli.environment, ...toBuildEnvironment(work) };
  const args = ['build', '--disable-cache', sif, `docker-archive:${archive}`];
  const { exitCode, stdout, stderr } = await callCli({ ...cli, environment }, args, { signal });
  signal.throwIfAborted();
  if (exitCode === 0 && (await isSif(sif))) return sif;
  const said = toLine((stderr || stdout).replace(/^(FATAL|ERROR):\s*/gm, '')) || `exit code ${exitCode}`;
  throw executorError(
    /no space left/i.test(said) ? 'executor/no-space' : 'executor/load-failed',
    `${cli.program} cannot convert the image ${image.image.imageHash}: ${said}`,
    { hint: 'look at the message; it comes from the engine' },
  );
}

const toBuildEnvironment = (work: string): Record<string, string> => {
  const settings = { TMPDIR: work, MKSQUASHFS_ARGS: quickly };
  const named = (prefix: string) => Object.entries(settings).map(([name, value]) => [`${prefix}_${name}`, value]);
  return Object.fromEntries([...named('APPTAINER'), ...named('SINGULARITY')]);
};

/** A tenth larger than what mksquashfs makes by itself, in an eighth of the time. */
const quickly = '-comp gzip -Xcompression-level 1';

/** SIF specification, "Global header": 32 bytes of launch script, then the magic. */
async function isSif(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer } = await file.read(Buffer.alloc(9), 0, 9, 32);
    return buffer.toString('latin1') === 'SIF_MAGIC';
  } finally {
    await file.close();
  }
}
