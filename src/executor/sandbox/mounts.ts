import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { executorError } from '../errors.ts';
import type { BindMount, ContainerSpec } from '../port.ts';
import { type Mount, makesTarget } from './mount.ts';
import { makeMountPoint } from './mount-point.ts';
import { resolveTarget } from './resolve.ts';
import { systemMounts } from './system-mounts.ts';

/** Where the root file system appears, below the scratch folder. */
export const rootName = 'r';

/** Made in order, because a file needs its mount point before the mounts of its phase and after those of the phases before. */
export interface MountPhase {
  /** Empty files to make, below the scratch folder. */
  readonly files: string[];
  readonly mounts: Mount[];
}

export interface RootParts {
  /** What is outside of it. */
  readonly outside: readonly Mount[];
  /** Options of the overlay. */
  readonly overlay: readonly string[];
  /** Folders of the union, topmost first, for looking up mount points. */
  readonly layers: readonly string[];
  /** An empty folder that is the topmost read-only layer: mount points are made there, and so never show as changes. */
  readonly mountPoints: string;
}

export type MountSpec = Pick<ContainerSpec, 'binds' | 'tmpfs' | 'network' | 'workingDir' | 'readOnlyRoot'>;

type MountRequest =
  | ({ readonly kind: 'bind' } & BindMount)
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes?: number };

export type PlaceKind = 'directory' | 'file';

/** Plans the mounts of one container and makes their mount points. */
export function planMounts(root: RootParts, spec: MountSpec): readonly MountPhase[] {
  const planner = new MountPlanner(root);
  planner.phase.mounts.push(
    ...root.outside,
    { source: 'overlay', target: rootName, type: 'overlay', options: root.overlay },
    ...systemMounts(rootName, spec.network),
  );
  const requests: MountRequest[] = [
    ...spec.binds.map((bind) => ({ kind: 'bind' as const, ...bind })),
    ...spec.tmpfs.map((tmpfs) => ({ kind: 'tmpfs' as const, ...tmpfs })),
  ];
  const depth = ({ target }: MountRequest): number => posix.normalize(target).split('/').length;
  for (const request of requests.sort((a, b) => depth(a) - depth(b))) planner.add(request);
  planner.place(spec.workingDir, 'directory');
  const bound = (source: string, target: string, options: readonly string[]): Mount => ({
    source,
    target,
    type: 'none',
    options,
  });
  if (spec.readOnlyRoot) planner.phase.mounts.push(bound('none', rootName, ['remount', 'bind', 'ro']));
  // All of it over the root that there was: bound, since fstab(5) knows no move.
  planner.phase.mounts.push(bound(rootName, '/.', ['rbind']));
  return planner.phases;
}

class MountPlanner {
  readonly phases: MountPhase[] = [{ files: [], mounts: [] }];
  readonly #root: RootParts;
  readonly #mounted = new Map<string, MountRequest>();

  constructor(root: RootParts) {
    this.#root = root;
  }

  get phase(): MountPhase {
    return this.phases[this.phases.length - 1] as MountPhase;
  }

  add(request: MountRequest): void {
    const kind = request.kind === 'tmpfs' || statSync(request.source).isDirectory() ? 'directory' : 'file';
    const path = this.place(request.target, kind);
    this.phase.mounts.push(toMount(request, rootName + path, kind));
    this.#mounted.set(path, request);
  }

  /** Makes sure that `target` will exist; its path in the container, free of links. */
  place(target: string, kind: PlaceKind): string {
    const { layers, mountPoints } = this.#root;
    const found = resolveTarget(layers, target, (path) => this.#mounted.has(path));
    const below = this.#mounted.get(found.path);
    if (below === undefined) {
      if (found.kind !== 'missing') requireKind(target, found.kind, kind);
      makeMountPoint(mountPoints, layers, found.path, kind);
      return found.path;
    }
    if (found.rest.length === 0) return found.path;
    if (below.kind === 'bind') return join(found.path, placeInSource(below, found.rest.join('/'), kind));
    return this.#placeInTmpfs(join(found.path, ...found.rest), kind);
  }

  /** A folder is made by its own mount; a file has to be there first. */
  #placeInTmpfs(path: string, kind: PlaceKind): string {
    if (kind === 'file') this.phases.push({ files: [rootName + path], mounts: [] });
    return path;
  }
}

/** A mount inside a bound folder needs its mount point in that folder, as with any container engine; its path there. */
export function placeInSource(bind: BindMount, rest: string, kind: PlaceKind): string {
  const found = resolveTarget([bind.source], rest);
  if (found.kind !== 'missing') {
    requireKind(join(bind.target, rest), found.kind, kind);
    return found.path;
  }
  const path = join(bind.source, found.path);
  try {
    mkdirSync(kind === 'directory' ? path : dirname(path), { recursive: true });
    if (kind === 'file') writeFileSync(path, '', { flag: 'wx' });
  } catch (cause) {
    throw executorError('executor/start-failed', `no mount point "${rest}" can be made in ${bind.source}`, {
      hint: 'a mount inside another one needs a place there: make that one writable or name a path that exists',
      cause,
    });
  }
  return found.path;
}

function requireKind(target: string, got: string, expected: string): void {
  if (got === expected) return;
  throw executorError('executor/start-failed', `"${target}" is a ${got} in the image, expected a ${expected}`, {
    hint: 'choose another path for this input or output',
  });
}

function toMount(request: MountRequest, target: string, kind: PlaceKind): Mount {
  const make = kind === 'directory' ? [makesTarget] : [];
  if (request.kind === 'tmpfs') {
    const size = request.sizeBytes === undefined ? [] : [`size=${request.sizeBytes}`];
    return { source: 'tmpfs', target, type: 'tmpfs', options: ['mode=1777', 'nosuid', 'nodev', ...size, ...make] };
  }
  const { source } = request;
  const flags = request.readOnly ? ['ro', 'nosuid', 'nodev', ...(isNoExec(source) ? ['noexec'] : [])] : [];
  return { source, target, type: 'none', options: ['rbind', ...flags, ...make] };
}

/** A remount in a user namespace must keep the flags of the source's mount; `noexec` is the one that we do not set anyway. */
function isNoExec(source: string): boolean {
  let best = { length: 0, noExec: false };
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , , point = '', options = ''] = line.split(' ');
    const inside = point === '/' || source === point || source.startsWith(`${point}/`);
    if (inside && point.length >= best.length) {
      best = { length: point.length, noExec: options.split(',').includes('noexec') };
    }
  }
  return best.noExec;
}
