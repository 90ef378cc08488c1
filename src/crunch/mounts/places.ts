import { mkdirSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BindMount } from '../../executor/port.ts';
import { apartOf } from '../owner.ts';
import { hostPrefix, isInside, relativeTo } from '../paths.ts';
import { linkReadOnly, linkSymbolically, placeTree } from './copy-tree.ts';
import { makeMountPoint, makeParents } from './mount-point.ts';
import { createOrigins, type Origins } from './origin.ts';
import type { PlannedMount } from './plan.ts';

/** Where the mounts of one container go: a file system of its own, or directories of the host. */
export interface Place {
  readonly kind: 'container' | 'host';
  readonly outputPath: string;
  /** The output directory on the host. */
  readonly outputDir: string;
  readonly origins: Origins;
  /** A text of the record as the process is to see it. */
  literal(text: string): string;
  /** A path that the process names, as the record would name it. */
  unliteral(path: string): string;
  /** The file or directory of the host behind a path that the container sees. */
  hostPath(path: string): string | undefined;
  /** A new empty directory, the container's to write to. */
  directory(target: string): Promise<void>;
  /** A new file; in the output it is the container's to change. Returns its path on the host. */
  file(target: string, content: string): Promise<string>;
  /** The path, its parents made, where a copy for the container to change belongs. */
  writable(target: string): Promise<string>;
  /** Shows `source` at the target; nobody may write to it. */
  readOnly(target: string, source: string, planned: PlannedMount): Promise<void>;
  /** A file that only its owner reads, in memory where there is a place for it. */
  secret(target: string, content: string): Promise<void>;
  scratchDirectory(): Promise<string>;
  /** What the executor has to bind, parents first, each with a point to be bound to. */
  binds(): Promise<readonly BindMount[]>;
}

export interface PlaceOptions {
  readonly outputPath: string;
  /** Exists, and holds nothing but `ready`. */
  readonly scratchDir: string;
  /** Names of empty directories. */
  readonly ready: readonly string[];
  /** Made when the first secret comes. */
  readonly secretDir: string;
}

/** Places for a container with a file system of its own: binds, and whatever lies under the output directory inside it. */
export async function createContainerPlace(options: PlaceOptions): Promise<Place> {
  const { outputPath } = options;
  const outputDir = join(options.scratchDir, 'output');
  mkdirSync(outputDir);
  const binds = new Map<string, BindMount>();
  /** Directories of the host that the container sees and that are ours to put things into. */
  const owned = new Map([[outputPath, outputDir]]);
  /** Those that the container may not write to. */
  const fixed = new Set<string>();
  const bind = (target: string, source: string, readOnly: boolean): void => {
    binds.set(target, { source, target, readOnly });
  };
  bind(outputPath, outputDir, false);
  const ownerOf = (target: string) => innermost(owned, (one) => one !== target && isInside(target, one));
  const next = numberedPaths(options.scratchDir);
  const spot = (target: string, readOnly: boolean): string => {
    if (target === outputPath) return outputDir;
    const owner = ownerOf(target);
    if (owner && (readOnly || !fixed.has(owner.target)))
      return makeParents(owner.hostDir, relativeTo(target, owner.target));
    const path = next();
    bind(target, path, readOnly);
    return path;
  };
  const secretFile = secretFiles(options.secretDir);
  return {
    kind: 'container',
    outputPath,
    outputDir,
    origins: createOrigins(),
    literal: (text) => text,
    unliteral: (path) => path,
    hostPath(path) {
      const sources = new Map([...binds.values()].map((one) => [one.target, one.source]));
      const found = innermost(sources, (one) => isInside(path, one));
      return found && join(found.hostDir, relativeTo(path, found.target));
    },
    async directory(target) {
      const path = spot(target, false);
      mkdirSync(path, { recursive: true });
      owned.set(target, path);
    },
    file: async (target, content) => writeNew(spot(target, true), content),
    async writable(target) {
      const path = spot(target, false);
      owned.set(target, path);
      return path;
    },
    async readOnly(target, source, planned) {
      if (!planned.hasInner) {
        bind(target, source, true);
        return;
      }
      const copy = next();
      await placeTree(source, copy, linkReadOnly);
      bind(target, copy, true);
      owned.set(target, copy);
      fixed.add(target);
    },
    secret: async (target, content) => bind(target, await secretFile(content), true),
    scratchDirectory: () => newDirectory(next()),
    async binds() {
      const sorted = [...binds.values()].sort((a, b) => depth(a.target) - depth(b.target));
      for (const { target, source } of sorted) {
        const owner = ownerOf(target);
        if (owner) makeMountPoint(owner.hostDir, relativeTo(target, owner.target), source);
      }
      return sorted;
    },
  };
}

/** Places for a container that is the host itself: everything under one real directory, inputs as symlinks. */
export async function createHostPlace(options: PlaceOptions): Promise<Place> {
  const root = options.scratchDir;
  const onHost = (path: string): string => join(root, relativeTo(path, hostPrefix));
  const spot = (target: string): string => makeParents(root, relativeTo(target, hostPrefix));
  const ready = new Set(options.ready.map((name) => join(root, name)));
  const makeDirectory = (path: string): void => {
    if (!ready.has(path)) mkdirSync(path, { recursive: true });
  };
  const outputDir = onHost(options.outputPath);
  makeDirectory(outputDir);
  const origins = createOrigins();
  const next = numberedPaths(apartOf(root));
  const secretFile = secretFiles(options.secretDir);
  return {
    kind: 'host',
    outputPath: options.outputPath,
    outputDir,
    origins,
    literal: (text) => text.replaceAll(hostPrefix, root),
    unliteral: (path) => (isInside(path, root) ? join(hostPrefix, relativeTo(path, root)) : path),
    hostPath: (path) => (isInside(path, hostPrefix) ? onHost(path) : undefined),
    directory: async (target) => makeDirectory(spot(target)),
    file: async (target, content) => writeNew(spot(target), content),
    writable: async (target) => spot(target),
    async readOnly(target, source, planned) {
      origins.addSource(target, source);
      const path = spot(target);
      if (planned.hasInner) await placeTree(source, path, linkSymbolically);
      else await symlink(source, path);
    },
    async secret(target, content) {
      const source = await secretFile(content);
      origins.addSource(target, source);
      await symlink(source, spot(target));
    },
    scratchDirectory: () => newDirectory(next()),
    binds: async () => [],
  };
}

function innermost(
  places: ReadonlyMap<string, string>,
  fits: (target: string) => boolean,
): { target: string; hostDir: string } | undefined {
  let best: { target: string; hostDir: string } | undefined;
  for (const [target, hostDir] of places) {
    if (fits(target) && target.length >= (best?.target.length ?? 0)) best = { target, hostDir };
  }
  return best;
}

const depth = (path: string): number => (path === '/' ? 0 : path.split('/').length);

function numberedPaths(directory: string): () => string {
  let count = 0;
  return () => {
    count += 1;
    return join(directory, `mount-${count}`);
  };
}

async function newDirectory(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}

/** Replaces what is there instead of writing through it: it may be a name of a file that others read. */
async function writeNew(path: string, content: string): Promise<string> {
  await rm(path, { force: true });
  await writeFile(path, content);
  return path;
}

function secretFiles(directory: string): (content: string) => Promise<string> {
  let count = 0;
  return async (content) => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    count += 1;
    const path = join(directory, `secret-${count}`);
    await writeFile(path, content, { mode: 0o400 });
    return path;
  };
}
