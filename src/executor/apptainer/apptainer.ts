import type { Claim } from '../../core/claim.ts';
import { executorError } from '../errors.ts';
import { createLimitMaker, type LimitMaker } from '../limits/create.ts';
import { toLoadedImage } from '../loaded-image.ts';
import type { ContainerSpec, Executor, LoadedImage, RunningContainer } from '../port.ts';
import { toContainer } from '../process/container.ts';
import { exists } from '../process/exists.ts';
import { createLauncher, type Launcher } from '../process/launcher.ts';
import { type ApptainerProgram, findProgram } from './program.ts';
import { createSifCache } from './sif-cache.ts';
import type { SifStore } from './sif-store.ts';
import { startByApptainer } from './start.ts';

export interface ApptainerOptions {
  /** Folder of converted images; may be shared by any number of processes of one user. */
  readonly home: string;
  readonly sifs: SifStore;
  /** Where others clear what is unused in `home`. */
  readonly claim?: Claim;
  /** Of the program: PATH, HOME and what else it reads. */
  readonly environment: Readonly<Record<string, string>>;
  /** `apptainer`, else `singularity`, unless said. */
  readonly program?: string;
  /** Processes and threads that one container may have at a time, apptainer's own among them; 2048 unless said. */
  readonly maxProcesses?: number;
}

/**
 * Runs containers by apptainer, or by singularity, as any user; no setuid helper is needed. Containers end with this process,
 * however it ends, so that `reap` has only files to clear.
 */
export function createApptainerExecutor(options: ApptainerOptions): Executor {
  const sifs = createSifCache(options.home, options.sifs, options.claim ?? exists);
  const parts = { launcher: createLauncher(), limits: createLimitMaker(), maxProcesses: options.maxProcesses ?? 2048 };
  let found: Promise<ApptainerProgram> | undefined;
  const program = (): Promise<ApptainerProgram> => {
    found ??= findProgram(options);
    found.catch(() => {
      found = undefined;
    });
    return found;
  };
  return {
    name: 'apptainer',
    async runtime() {
      const { name, version } = await program();
      return `${name} ${version}`;
    },
    async loadImage(image, signal) {
      return toLoadedImage('apptainer', await sifs.ensure(image, (await program()).cli, signal), image.image);
    },
    start: async (image, spec) => startContainer({ ...parts, program: await program() }, image, spec),
    async reap(isOwned) {
      await parts.limits.reap(isOwned);
      await sifs.reap();
    },
  };
}

interface Parts {
  readonly program: ApptainerProgram;
  readonly launcher: Launcher;
  readonly limits: LimitMaker;
  readonly maxProcesses: number;
}

/** Of memory that apptainer needs itself (some 35 MiB): it lives in the control group of its container. */
const ownBytes = 64 * 1024 * 1024;

async function startContainer(parts: Parts, image: LoadedImage, spec: ContainerSpec): Promise<RunningContainer> {
  if (spec.asImageUser)
    throw executorError(
      'executor/start-failed',
      'apptainer runs a container as the caller, not as the user of its image',
      {
        hint: 'leave --no-match-user out, or choose another executor',
      },
    );
  const { id, ramBytes, vcpus, strictCpus } = spec;
  const { maxProcesses } = parts;
  const limits = parts.limits.create({
    ...{ id, maxProcesses, accountsCpu: true },
    ...(ramBytes === undefined ? {} : { ramBytes: ramBytes + ownBytes }),
    ...(strictCpus && vcpus !== undefined ? { cpus: vcpus } : {}),
  });
  try {
    const group = await startByApptainer({ ...parts, limits }, image, spec);
    return toContainer(group, {
      finish: async () => ({
        outOfMemory: limits.ranOutOfMemory(),
        usage: limits.usage(),
      }),
      usage: async () => limits.usage(),
      release: () => limits.remove(),
    });
  } catch (error) {
    await limits.remove();
    throw error;
  }
}
