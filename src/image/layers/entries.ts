import type { TarEntry } from '../tar/entry.ts';
import { readTar, type TarMember } from '../tar/read.ts';
import { streamSource } from '../tar/source.ts';
import { resolvePath, toParts, unsafe } from './paths.ts';

/**
 * One thing that a layer says about the tree (OCI image-spec 1.1, "Image Layer Filesystem Changeset"). Paths are relative to
 * the root, normal, and no part of their parents is a symlink of the same layer; the root is ''.
 */
export type LayerEntry =
  /** A file, directory, symlink, hard link (target in `linkPath`, an earlier entry of this layer) or FIFO is here now. */
  | (TarEntry & { readonly kind: 'entry'; content(): AsyncGenerator<Buffer> })
  /** What lower layers have at `path` is gone. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** What lower layers have below the directory `path` is gone. */
  | { readonly kind: 'opaque'; readonly path: string };

export interface ReadLayerOptions {
  /** Called for each device node, which is dropped: a container gets its devices from its executor. */
  readonly onDropped?: (path: string) => void;
}

const whiteoutPrefix = '.wh.';
const opaqueName = '.wh..wh..opq';
const ownPrefix = '.wh..wh.';

/**
 * Reads an uncompressed layer tar to its very end, so that a check of its digest is reached. Fails with `image/unsafe-layer` for
 * what could reach outside the root, and `image/bad-archive` for what is no tar.
 */
export async function* readLayerEntries(
  tar: AsyncIterable<Uint8Array>,
  options: ReadLayerOptions = {},
): AsyncGenerator<LayerEntry> {
  const source = streamSource(tar);
  const seen = createLayerState();
  for await (const member of readTar(source)) {
    const entry = toLayerEntry(member, seen, options);
    if (entry) yield entry;
  }
  await source.drain();
}

type Kind = 'directory' | 'symlink' | 'other';

/** What this layer has put where so far. */
function createLayerState() {
  const kinds = new Map<string, Kind>([['', 'directory']]);
  const links = new Map<string, string>();
  const parents = new Set<string>();
  /** Where directories lie, by their names as spelt; void when a symlink comes or goes. */
  const resolved = new Map<string, string>();
  return {
    has: (path: string) => kinds.has(path),
    isDirectory: (path: string) => kinds.get(path) === 'directory',
    locate,
    put(path: string, kind: Kind, linkPath: string) {
      checkPlace(path, kind);
      kinds.set(path, kind);
      const isChanged = kind === 'symlink' ? links.set(path, linkPath) : links.delete(path);
      if (isChanged) resolved.clear();
    },
  };

  function locate(name: string): string {
    const parts = toParts(name);
    if (links.size === 0) return parts.join('/');
    const last = parts.pop();
    if (last === undefined) return '';
    const parent = parts.join('/');
    let place = resolved.get(parent);
    if (place === undefined) {
      place = resolvePath(parts, (path) => links.get(path));
      resolved.set(parent, place);
    }
    return place === '' ? last : `${place}/${last}`;
  }

  /** A directory with something in it stays one, and what lies below a file cannot be. */
  function checkPlace(path: string, kind: Kind): void {
    if (kind !== 'directory' && (path === '' || parents.has(path)))
      throw unsafe(`${JSON.stringify(path)} is a directory and something else`);
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash);
      if (parents.has(parent)) return;
      if (kinds.get(parent) === 'other') throw unsafe(`${JSON.stringify(path)} lies below a file`);
      parents.add(parent);
    }
  }
}

type LayerState = ReturnType<typeof createLayerState>;

function toLayerEntry(member: TarMember, state: LayerState, options: ReadLayerOptions): LayerEntry | undefined {
  const path = state.locate(member.path);
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (name.startsWith(whiteoutPrefix)) return toWhiteout(path.slice(0, Math.max(0, slash)), name, state);
  if (path.split('/').some((part) => part.startsWith(whiteoutPrefix)))
    throw unsafe(`${JSON.stringify(path)} lies below a whiteout`);
  if (member.type === 'char' || member.type === 'block') {
    options.onDropped?.(path);
    return undefined;
  }
  const linkPath = member.type === 'hardlink' ? hardlinkTarget(member, path, state) : member.linkPath;
  if (member.type === 'symlink' && (linkPath === '' || linkPath.includes('\0')))
    throw unsafe(`${JSON.stringify(path)} is a symlink to nowhere`);
  if (linkPath === path && member.type === 'hardlink') return undefined;
  const { type } = member;
  state.put(path, type === 'directory' || type === 'symlink' ? type : 'other', linkPath);
  return {
    kind: 'entry',
    path,
    type,
    mode: member.mode,
    uid: member.uid,
    gid: member.gid,
    mtime: member.mtime,
    size: member.size,
    linkPath,
    xattrs: member.xattrs,
    content: () => member.content(),
  };
}

function hardlinkTarget(member: TarMember, path: string, state: LayerState): string {
  const target = state.locate(member.linkPath);
  if (target === '' || !state.has(target) || state.isDirectory(target)) {
    throw unsafe(
      `${JSON.stringify(path)} is a hard link to ${JSON.stringify(member.linkPath)}, which is no file of this layer`,
    );
  }
  return target;
}

/** A whiteout speaks of lower layers only: what this layer has at its place stays, and, being a directory, hides the lower one. */
function toWhiteout(parent: string, name: string, state: LayerState): LayerEntry | undefined {
  if (name === opaqueName) return { kind: 'opaque', path: parent };
  if (name.startsWith(ownPrefix)) return undefined;
  const hidden = name.slice(whiteoutPrefix.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw unsafe(`a whiteout named ${JSON.stringify(name)}`);
  const path = parent === '' ? hidden : `${parent}/${hidden}`;
  if (state.isDirectory(path)) return { kind: 'opaque', path };
  return state.has(path) ? undefined : { kind: 'whiteout', path };
}
