import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { toCanonicalJson } from '../../../core/json.ts';
import { imageError } from '../../errors.ts';
import type { MergedTree } from '../../layers/merged-tree.ts';
import { noXattrs } from '../../tar/entry.ts';
import { writeMembers } from '../cache/members.ts';
import { withoutFileName } from '../plan/remote.ts';
import { detectArchive, unpackInto } from '../unpack/archive.ts';
import { createDestination, type Destination, type DestinationOptions } from './destination.ts';
import { type CopyItem, listItems, type Selected, selectSources } from './select.ts';
import type { Contents, SourceTree } from './source-tree.ts';
import { createSpool, type Spool } from './spool.ts';

/** One COPY or ADD with its variables put in, but for its sources. */
export interface CopySpec {
  readonly keyword: 'COPY' | 'ADD';
  readonly inline: readonly { readonly name: string; readonly content: string }[];
  /** Absolute; a trailing slash says directory. */
  readonly destination: string;
  readonly excludes: readonly string[];
  readonly parents: boolean;
}

/** One source of a COPY: a pattern in a tree. */
export interface CopyPart {
  readonly tree: SourceTree;
  readonly pattern: string;
  /** Archives are unpacked. */
  readonly unpack: boolean;
  /** What it is called, where the tree does not say it: '' has no name. */
  readonly baseName?: string;
}

/** What one source names: a file, or a directory with all below it. */
interface CopyGroup {
  readonly part: CopyPart;
  readonly selected: Selected;
  readonly items: readonly CopyItem[];
  readonly contents: Contents;
}

/** What one COPY reads, chosen and digested; nothing of it is in the image yet. */
export interface CopySelection {
  readonly spec: CopySpec;
  readonly groups: readonly CopyGroup[];
  /** sha256 over the names, modes, owners, link targets and contents of all items. */
  readonly digest: string;
  close(): Promise<void>;
}

export async function selectCopy(
  spec: CopySpec,
  parts: readonly CopyPart[],
  signal?: AbortSignal,
): Promise<CopySelection> {
  const opened: Contents[] = [];
  const close = async () => {
    for (const contents of opened) await contents.close();
  };
  try {
    const groups: CopyGroup[] = [];
    for (const [tree, ofTree] of Map.groupBy(parts, (part) => part.tree)) {
      const selections = await Promise.all(ofTree.map((part) => selectPart(part, spec)));
      const files = selections.flat().flatMap(({ items }) => items.flatMap(fileOf));
      const contents = await tree.openContents(files, signal);
      opened.push(contents);
      groups.push(...selections.flat().map((selection) => ({ ...selection, contents })));
    }
    groups.sort((a, b) => parts.indexOf(a.part) - parts.indexOf(b.part));
    return { spec, groups, digest: await digestOf(spec, parts, groups, signal), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const fileOf = ({ entry }: CopyItem) => (entry.type === 'file' ? [entry] : []);

async function selectPart(part: CopyPart, spec: CopySpec): Promise<Omit<CopyGroup, 'contents'>[]> {
  const { tree, pattern, baseName } = part;
  const found = await selectSources(tree, pattern, spec.parents);
  const named = baseName === undefined ? found : found.map((selected) => ({ ...selected, baseName }));
  return Promise.all(
    named.map(async (selected) => ({ part, selected, items: await listItems(tree, selected, spec.excludes) })),
  );
}

async function digestOf(
  spec: CopySpec,
  parts: readonly CopyPart[],
  groups: readonly CopyGroup[],
  signal?: AbortSignal,
): Promise<string> {
  const sources = parts.map(({ pattern, unpack }) => [pattern, unpack]);
  const hash = createHash('sha256').update(toCanonicalJson({ ...spec, sources }));
  for (const { selected, items, contents } of groups) {
    hash.update(toCanonicalJson([selected.baseName, selected.parents ?? null]));
    for (const item of items) hash.update(await digestItem(item, contents, signal));
  }
  return hash.digest('hex');
}

async function digestItem({ entry, relative }: CopyItem, contents: Contents, signal?: AbortSignal): Promise<string> {
  const { type, mode, uid, gid, size, linkTarget = '', xattrs } = entry;
  const hash = createHash('sha256');
  hash.update(toCanonicalJson([relative, type, mode, uid, gid, size, linkTarget, String(entry.mtime)]));
  for (const [name, value] of xattrs) hash.update(`${name}\0${value.toString('hex')}\0`);
  if (type === 'file') {
    for await (const chunk of contents.read(entry)) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
  }
  return hash.digest('hex');
}

/** Gives `store` the layer of a COPY on top of `tree` as a tar stream; what it is read from is there until that is done. */
export async function makeCopyLayer<T>(
  selection: CopySelection,
  tree: MergedTree,
  options: DestinationOptions,
  store: (tar: Readable) => Promise<T>,
): Promise<T> {
  const { spec, groups } = selection;
  const destination = createDestination(tree, options);
  const spools: Spool[] = [];
  try {
    const target = openTarget(destination, selection);
    for (const group of groups) {
      const { part, selected, contents } = group;
      const packing = part.unpack ? await detectArchive(selected.entry, contents) : undefined;
      if (!packing) {
        placeGroup(destination, target, group);
        continue;
      }
      const spool = await createSpool();
      spools.push(spool);
      await unpackInto(destination, target, { file: selected.entry, packing, contents }, spool);
    }
    for (const file of spec.inline) placeInline(destination, target, file);
    return await store(writeMembers(destination.members()));
  } finally {
    for (const spool of spools) await spool.close();
  }
}

/** Where the destination path leads; made a directory where its spelling says that it is one. */
function openTarget(destination: Destination, { spec, groups }: CopySelection): string {
  const target = destination.resolve(posix.normalize(spec.destination).replace(/^\/+/, '').replace(/\/$/, ''));
  const isDirectory = /(^|\/)\.{0,2}$/.test(spec.destination) || spec.parents;
  const count = groups.length + spec.inline.length;
  if (count === 0) return target;
  if (
    count > 1 &&
    !isDirectory &&
    destination.typeAt(target) !== 'directory' &&
    groups.some(({ selected }) => selected.entry.type !== 'directory')
  ) {
    throw imageError(
      'image/bad-dockerfile',
      `expected the destination of several files to be a directory, got ${spec.destination}`,
      {
        hint: `end it with a slash: ${spec.destination}/`,
      },
    );
  }
  destination.makeDirectory(isDirectory ? target : parentOf(target));
  return target;
}

const parentOf = (path: string) => posix.join('/', posix.dirname(path)).slice(1);

function placeGroup(destination: Destination, target: string, { part, selected, items, contents }: CopyGroup): void {
  const base = selected.parents === undefined ? target : posix.join(target, selected.parents);
  const isDirectory = selected.entry.type === 'directory';
  if (isDirectory || selected.parents !== undefined) destination.makeDirectory(base);
  const goesInto = !isDirectory && destination.typeAt(base) === 'directory';
  if (goesInto && selected.baseName === '') throw withoutFileName(part.tree.name, `/${base}`);
  const top = goesInto ? posix.join(base, selected.baseName) : base;
  for (const { entry, relative } of items) {
    if (isDirectory && relative === '') continue;
    const path = posix.join(top, relative);
    destination.put(path, entry, entry.type === 'file' ? () => contents.read(entry) : undefined);
  }
}

function placeInline(
  destination: Destination,
  target: string,
  { name, content }: { name: string; content: string },
): void {
  const path = destination.typeAt(target) === 'directory' ? posix.join(target, name) : target;
  const bytes = Buffer.from(content);
  const meta = { mode: 0o644, uid: 0, gid: 0, mtime: Number.POSITIVE_INFINITY, xattrs: noXattrs };
  const entry = { path: name, type: 'file', size: bytes.length, ...meta } as const;
  destination.put(path, entry, async function* () {
    yield bytes;
  });
}
