import { posix } from 'node:path';
import type { LayerMember } from '../../src/image/build/cache/members.ts';
import { decompressLayer } from '../../src/image/layers/decompress.ts';
import { readLayerEntries } from '../../src/image/layers/entries.ts';
import type { Layer } from '../../src/image/model.ts';
import { noXattrs } from '../../src/image/tar/entry.ts';

export interface Node {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly content: Buffer;
  readonly linkPath: string;
}

/** Absolute normal paths to nodes; the root is `/`. */
export type FileTree = Map<string, Node>;

export const newNode = (type: Node['type'], more: Partial<Node> = {}): Node => ({
  type,
  mode: type === 'file' ? 0o644 : type === 'symlink' ? 0o777 : 0o755,
  uid: 0,
  gid: 0,
  mtime: 2_000_000_000,
  content: Buffer.alloc(0),
  linkPath: '',
  ...more,
});

export function removeTree(tree: FileTree, path: string): void {
  for (const key of [...tree.keys()]) if (key === path || key.startsWith(`${path}/`)) tree.delete(key);
}

/** OCI image-spec 1.1, "Image Layer Filesystem Changeset", applied in memory. */
export async function applyLayers(layers: readonly Layer[]): Promise<FileTree> {
  const tree: FileTree = new Map([['/', newNode('directory')]]);
  for (const layer of layers) await applyLayer(tree, layer);
  return tree;
}

async function applyLayer(tree: FileTree, layer: Layer): Promise<void> {
  const made = new Set<string>();
  for await (const entry of readLayerEntries(await decompressLayer(layer))) {
    const path = posix.join('/', entry.path);
    if (entry.kind === 'whiteout') removeTree(tree, path);
    else if (entry.kind === 'opaque') {
      for (const key of [...tree.keys()]) if (key.startsWith(`${path}/`) && !made.has(key)) tree.delete(key);
    } else {
      made.add(path);
      const content = Buffer.concat(await Array.fromAsync(entry.content()));
      const linked = entry.type === 'hardlink' ? tree.get(posix.join('/', entry.linkPath)) : undefined;
      const type = entry.type === 'directory' || entry.type === 'symlink' ? entry.type : 'file';
      if (type !== 'directory') removeTree(tree, path);
      const { mode, uid, gid, mtime, linkPath } = entry;
      tree.set(path, linked ?? newNode(type, { mode, uid, gid, mtime, content, linkPath }));
    }
  }
}

const isSame = (a: Node, b: Node) =>
  a === b ||
  (a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.linkPath === b.linkPath &&
    a.content.equals(b.content));

/** What turns `before` into `after`, as the members of a layer: sorted, whiteouts for what is gone. */
export function toChanges(before: FileTree, after: FileTree, clampSeconds: number): LayerMember[] {
  const members = new Map<string, LayerMember>();
  const add = (path: string, node: Node) => {
    const { type, mode, uid, gid, linkPath, content } = node;
    const mtime = Math.min(node.mtime, clampSeconds);
    const name = path.slice(1);
    const entry = { path: name, type, mode, uid, gid, mtime, linkPath, size: content.length, xattrs: noXattrs };
    members.set(name, { entry, body: [content] });
  };
  for (const [path, node] of after) {
    const old = before.get(path);
    if (path !== '/' && !(old && isSame(old, node))) add(path, node);
  }
  for (const path of before.keys()) {
    const { dir, base } = posix.parse(path);
    if (after.has(path) || after.get(dir)?.type !== 'directory') continue;
    add(posix.join(dir, `.wh.${base}`), newNode('file', { mode: 0, mtime: 0 }));
  }
  return [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, member]) => member);
}
