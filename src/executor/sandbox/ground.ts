import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Claim } from '../../core/claim.ts';
import { createLimitMaker, type LimitMaker } from '../limits/create.ts';
import { exists } from '../process/exists.ts';
import { findTool } from '../process/find-tool.ts';
import { createLauncher, type Launcher } from '../process/launcher.ts';
import { withRoutines } from '../process/launcher-perl.ts';
import { makeRootEmulation, type RootEmulation } from './emulated-root.ts';
import { currentCaller, type IdMap, planIdMap, readIdSources } from './id-map.ts';
import { seatProgram } from './init-perl.ts';
import { createLayerStore, type LayerStore } from './layer-store.ts';
import { findLoopback, type Loopback } from './loopback.ts';
import { createSeats, type Seats } from './seats.ts';
import { makeSkeleton } from './system-mounts.ts';
import { requireTools } from './tools.ts';
import { openUserNamespace, type UserNamespace } from './user-namespace.ts';

export interface SandboxOptions {
  /** Folder of extracted layers and of what this executor keeps; may be shared by any number of processes of one user. */
  readonly home: string;
  /** Processes and threads that one container may have at a time; 2048 unless said. */
  readonly maxProcesses?: number;
  /** Where others clear what is unused in `home`. */
  readonly claim?: Claim;
  /** Containers are started by a shell and util-linux, as on a machine without perl. */
  readonly withoutPerl?: boolean;
}

/** What the containers, loads and builds of one process share. */
export interface Ground {
  readonly home: string;
  readonly idMap: IdMap;
  readonly layers: LayerStore;
  readonly skeleton: string;
  /** Where there is only one id: what lets root of a container do as if it had all. Undefined where this machine cannot. */
  readonly emulation?: RootEmulation;
  readonly limits: LimitMaker;
  readonly launcher: Launcher;
  /** Undefined where there is no perl, or nobody knows how it calls the kernel. */
  readonly seats?: Seats;
  readonly options: SandboxOptions;
  readonly claim: Claim;
  /** The namespace that all of it happens in. Opened on first use, and again when its holder died. */
  namespace(): Promise<UserNamespace>;
  loopback(): Promise<Loopback>;
}

/** Made on the first call; made again when that failed. */
export function createGround(options: SandboxOptions): () => Promise<Ground> {
  return remember(() => makeGround(options));
}

async function makeGround(options: SandboxOptions): Promise<Ground> {
  const { home, claim = exists } = options;
  await requireTools();
  await mkdir(home, { recursive: true });
  const skeleton = join(home, 'skeleton');
  await makeSkeleton(skeleton);
  const idMap = planIdMap(currentCaller(), await readIdSources((await findTool('newuidmap')) !== undefined));
  const namespace = remember(
    () => openUserNamespace(idMap),
    (opened) => opened.ended,
  );
  const single = idMap.kind === 'single';
  const limits = createLimitMaker();
  const routines =
    options.withoutPerl || (await findTool('perl')) === undefined ? undefined : seatProgram(process.arch);
  const launcher = createLauncher(routines === undefined ? undefined : withRoutines(routines));
  const seats = routines === undefined ? undefined : createSeats(launcher, limits);
  const emulation = single && seats ? await makeRootEmulation(home) : undefined;
  return {
    home: single ? join(home, 'single') : home,
    options,
    claim,
    limits,
    launcher,
    ...(seats && { seats }),
    idMap,
    ...(emulation && { emulation }),
    skeleton,
    namespace,
    layers: createLayerStore({
      folder: join(home, single ? 'single/layers' : 'layers'),
      namespace,
      keepOwners: !single,
      claim,
    }),
    loopback: remember(async () => findLoopback(home, await namespace())),
  };
}

/** Keeps what `make` gave until it failed or `lifetime` is over. */
function remember<T>(make: () => Promise<T>, lifetime?: (value: T) => Promise<unknown>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  const forget = (): void => {
    kept = undefined;
  };
  return () => {
    if (kept === undefined) {
      kept = make();
      kept.then((value) => lifetime?.(value).then(forget), forget);
    }
    return kept;
  };
}
